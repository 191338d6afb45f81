// Forms: they show that they are busy, leave empty fields out of addresses, and report errors.

import { say } from "./toast.js";

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-prune]")) prune(form);
    if (form.matches(".shutter")) busy(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copyLink(button);
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
  document.addEventListener("htmx:response:error", () => say("That did not work. Please try again."));
  // A page from the browser's back-forward cache is no longer busy.
  addEventListener("pageshow", () => document.querySelectorAll(".is-busy").forEach((form) => form.classList.remove("is-busy")));
}

function cameFromGrid() {
  return URL.canParse(document.referrer) && new URL(document.referrer).pathname === document.body.dataset.home && history.length > 1;
}

function prune(form) {
  const emptied = [...form.elements].filter((field) => field.name && !field.value && !field.disabled);
  emptied.forEach((field) => (field.disabled = true));
  setTimeout(() => emptied.forEach((field) => (field.disabled = false)));
}

function busy(form) {
  form.classList.add("is-busy");
  form.querySelector("span").textContent = "Taking a picture…";
}

async function copyLink(button) {
  try {
    const answer = await fetch(button.dataset.copy, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ kind: "image", seconds: 7 * 86_400 }),
    });
    if (!answer.ok) throw new Error(answer.statusText);
    const { url } = await answer.json();
    await copy(new URL(url, location.href).href);
    say("Link copied. It opens this picture for a week.");
  } catch {
    say("The link could not be copied.");
  }
}

async function sendTest(button) {
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.test, { method: "POST" });
    const { error } = await answer.json();
    say(answer.ok ? "The test was sent." : error.slice(error.indexOf(": ") + 2));
  } catch {
    say("That did not work. Please try again.");
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
