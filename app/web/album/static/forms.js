// Forms: they show that they are busy, leave empty fields out of addresses, and report errors.

import { say } from "./toast.js";
import { tr } from "./words.js";

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-prune]")) prune(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-share]");
    if (button) share(button.dataset.share, button.dataset.title);
    const text = event.target.closest("[data-copy-text], [data-copy-text-of]");
    if (text) copyText(text);
    const test = event.target.closest("[data-test]");
    if (test) sendTest(test);
    if (event.target.closest("[data-up]") && cameFromGrid()) {
      event.preventDefault();
      history.back(); // to where the reader was, instead of to the top
    }
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { saved } = event.target.dataset ?? {};
    if (saved && event.detail.ctx.response.status < 300) say(saved);
  });
  document.addEventListener("htmx:response:error", (event) => event.detail.ctx?.response?.status === 409 || say(tr("That did not work. Please try again.")));
}

function cameFromGrid() {
  return URL.canParse(document.referrer) && new URL(document.referrer).pathname === document.body.dataset.home && history.length > 1;
}

function prune(form) {
  const emptied = [...form.elements].filter((field) => field.name && !field.value && !field.disabled);
  emptied.forEach((field) => (field.disabled = true));
  setTimeout(() => emptied.forEach((field) => (field.disabled = false)));
}

/** Gives a link to a picture to another program, or to the clipboard where the browser knows no others. */
export async function share(address, title) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ kind: "image", seconds: 7 * 86_400 }),
    });
    if (!answer.ok) throw new Error(answer.statusText);
    const url = new URL((await answer.json()).url, location.href).href;
    if (navigator.share) return await navigator.share({ title, url });
    await copy(url);
    say(tr("Link copied. It opens this picture for a week."));
  } catch (error) {
    if (error.name !== "AbortError") say(tr("The picture could not be shared."));
  }
}

async function copyText({ dataset: { copyText: text, copyTextOf: of } }) {
  try {
    await copy(text ?? document.querySelector(of).textContent);
    say(tr("Copied."));
  } catch {
    say(tr("It could not be copied."));
  }
}

async function sendTest(button) {
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.test, { method: "POST" });
    const { error } = await answer.json();
    say(answer.ok ? tr("The test was sent.") : error.slice(error.indexOf(": ") + 2));
  } catch {
    say(tr("That did not work. Please try again."));
  }
  button.disabled = false;
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea"); // without https there is no clipboard to write to
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("not copied");
}
