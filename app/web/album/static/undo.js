// Deleting, and taking it back for as long as that is possible.

import { offer, say } from "./toast.js";
import { tr } from "./words.js";

const home = () => document.body.dataset.home;

/** The page after a deletion by a form offers to take it back; it stops when that is over. */
export function startUndo() {
  const toast = document.querySelector("[data-undo]");
  if (!toast) return;
  const address = new URL(location.href);
  address.searchParams.delete("deleted");
  toast.querySelector("form").addEventListener("submit", () => toast.classList.add("is-busy"));
  setTimeout(() => toast.remove(), Number(toast.dataset.undo) * 1000);
  history.replaceState(history.state, "", address); // a reload says it no more
}

/** Deletes these; `restore` is called when they are there again. Returns whether they are deleted. */
export async function deletePictures(ids, restore) {
  const one = ids.length === 1 && `api/snapshots/${ids[0]}?undo=10`;
  const deleted = await (one ? ask(one, null, "DELETE") : ask("api/deletions", { ids }));
  if (!deleted) return false;
  const left = Date.parse(deleted.until) - Date.now();
  const words = deleted.count === 1 ? tr("Deleted.") : tr("{number} pictures deleted.", { number: deleted.count });
  offer(words, tr("Undo"), Math.max(3000, Math.min(left, 10_000)), async () => {
    if (await ask(`api/deletions/${deleted.undo}/undo`)) restore();
  });
  return true;
}

/** What the service answers to a form, or to an object as JSON; null where it refuses, which is said. */
export async function ask(path, body, method = "POST") {
  const isForm = body instanceof URLSearchParams;
  try {
    const answer = await fetch(home() + path, {
      method,
      headers: isForm ? { Accept: "application/json" } : body ? { "Content-Type": "application/json" } : {},
      body: isForm ? body : body && JSON.stringify(body),
    });
    const said = await answer.json();
    if (answer.ok) return said;
    say(said.error.slice(said.error.indexOf(": ") + 2));
  } catch {
    say(tr("That did not work. Please try again."));
  }
  return null;
}
