// The keyboard, and swiping on a picture's page. What the keys do is listed in the help dialog.

import { deleteSelected, endSelection, toggleFocused } from "./select.js";

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
    if (document.querySelector(".pswp--open") || (document.querySelector(":popover-open") && event.key !== "?")) return;
    if (ACTIONS[event.key]?.(event) === true) event.preventDefault();
  });
  const stage = document.querySelector(".stage");
  if (stage) swipe(stage);
}

const ACTIONS = {
  "/": () => focus(document.getElementById("q")),
  "?": () => {
    document.getElementById("help").togglePopover();
    return true;
  },
  j: () => turn("older") || step(1),
  k: () => turn("newer") || step(-1),
  ArrowRight: () => turn("older") || (inGrid() && step(1)),
  ArrowLeft: () => turn("newer") || (inGrid() && step(-1)),
  ArrowDown: () => inGrid() && step(columns()),
  ArrowUp: () => inGrid() && step(-columns()),
  s: () => submit("star"),
  r: () => submit("review"),
  b: () => press("[data-boxes-toggle]"),
  x: () => toggleFocused(),
  Delete: () => deleteSelected() || press("[data-delete] button"),
  Escape: () => endSelection() || press("[data-up]"),
};

function isTyping(element) {
  return element.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

function links() {
  return [...document.querySelectorAll(".grid [data-open]")];
}

function inGrid() {
  return document.activeElement?.matches(".grid *");
}

function step(by) {
  const all = links();
  const here = all.indexOf(document.activeElement?.closest(".card")?.querySelector("[data-open]"));
  const next = here < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, here + by))];
  return focus(next);
}

function columns() {
  return getComputedStyle(document.querySelector(".grid")).gridTemplateColumns.split(" ").length;
}

function submit(what) {
  const form = document.activeElement?.closest(".card")?.querySelector(`[data-${what}]`) ?? document.querySelector(`.about [data-${what}]`);
  form?.querySelector("button").click();
  return Boolean(form);
}

function turn(way) {
  return press(`[data-turn="${way}"]`) || Boolean(document.querySelector(".viewer"));
}

function press(selector) {
  const element = document.querySelector(selector);
  element?.click();
  return Boolean(element);
}

function focus(element) {
  element?.focus();
  element?.scrollIntoView({ block: "nearest" });
  return Boolean(element);
}

function swipe(stage) {
  let start = null;
  stage.addEventListener("touchstart", ({ touches }) => (start = touches.length === 1 ? touches[0] : null), { passive: true });
  stage.addEventListener("touchend", ({ changedTouches: [end] }) => {
    if (!start || visualViewport?.scale > 1.05) return;
    const [across, down] = [end.clientX - start.clientX, end.clientY - start.clientY];
    if (Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(down)) turn(across < 0 ? "older" : "newer");
  });
}
