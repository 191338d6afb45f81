// Choosing many pictures of the grid: by Shift and a click, a long press, or the key x. Without it, the grid is a form.

import { ask, deletePictures } from "./undo.js";
import { tr } from "./words.js";

const LONG_PRESS_MS = 500;
const STILL_PX = 10;

let grid, bar, last;

export function startSelection() {
  [grid, bar] = [document.getElementById("grid"), document.getElementById("selection")];
  if (!grid || !bar) return;
  grid.addEventListener("click", choose, true);
  grid.addEventListener("change", count);
  bar.addEventListener("submit", submit);
  document.addEventListener("click", (event) => {
    const [begin, end] = ["[data-select]", "[data-select-end]"].map((selector) => event.target.closest(selector));
    if (!begin && !end) return;
    event.preventDefault();
    select(Boolean(begin) && !selecting());
  });
  longPress();
  if (selecting()) count();
}

export function selecting() {
  return Boolean(grid?.classList.contains("is-selecting"));
}

/** Leaves choosing; returns whether there was any. */
export function endSelection() {
  const was = selecting();
  if (was) select(false);
  return was;
}

/** Chooses the card that has the focus, or takes it out. */
export function toggleFocused() {
  const card = document.activeElement?.closest(".grid .card");
  if (!card || !bar) return false;
  select(true);
  toggle(card);
  return true;
}

/** Deletes what is chosen; returns whether there was any. */
export function deleteSelected() {
  const cards = chosen();
  if (!selecting() || !cards.length) return false;
  remove(cards);
  return true;
}

function select(on) {
  grid.classList.toggle("is-selecting", on);
  bar.hidden = !on;
  if (!on) chosen().forEach((card) => mark(card, false));
  last = null;
  count();
}

function choose(event) {
  const card = event.target.closest(".card");
  if (!card || event.target.closest(".pick") || event.ctrlKey || event.metaKey || event.button) return;
  if (!selecting() && !event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  const from = last;
  if (!selecting()) select(true);
  if (event.shiftKey && from?.isConnected) span(from, card);
  else toggle(card);
}

function span(from, to) {
  const cards = [...grid.querySelectorAll(".card")];
  const ends = [cards.indexOf(from), cards.indexOf(to)].sort((a, b) => a - b);
  cards.slice(ends[0], ends[1] + 1).forEach((card) => mark(card, true));
  last = to;
  count();
}

function toggle(card) {
  mark(card, !box(card).checked);
  last = card;
  count();
}

const box = (card) => card.querySelector(".pick input");

function mark(card, on) {
  box(card).checked = on;
}

function chosen() {
  return [...grid.querySelectorAll(".card:has(.pick input:checked)")];
}

// A card of a visit stands for all of its pictures that match.
const pictures = (cards) => cards.reduce((sum, card) => sum + Number(card.dataset.pictures), 0);

function count() {
  const words = bar.querySelector("[data-selected]");
  const [number, most] = [pictures(chosen()), Number(words.dataset.most)];
  words.textContent = number > most ? tr("{number} selected, at most {most}", { number, most }) : number ? tr("{number} selected", { number }) : tr("Choose pictures");
  bar.querySelectorAll("button").forEach((button) => (button.disabled = !number || number > most));
}

function submit(event) {
  if (event.submitter?.dataset.wish === "delete") {
    event.preventDefault();
    remove(chosen());
  }
}

async function remove(cards) {
  const places = cards.map((card) => [card, card.nextSibling, card.parentNode]);
  const restore = () => places.reverse().forEach(([card, next, parent]) => parent.insertBefore(card, next));
  const ids = grid.dataset.by === "visit" ? await idsOf(cards) : cards.map((card) => card.id);
  const number = pictures(cards);
  if (!ids.length || !(await deletePictures(ids, () => (restore(), total(number))))) return;
  cards.forEach((card) => (mark(card, false), card.remove()));
  total(-number);
  select(false);
}

async function idsOf(cards) {
  const chosen = new URLSearchParams([["query", grid.dataset.query], ...cards.map((card) => ["visit", card.dataset.visit])]);
  const said = await ask("selection/ids", chosen);
  return said?.ids ?? [];
}

/** So many more pictures are in the grid's search. */
export function total(more) {
  const now = Number(grid.dataset.total) + more;
  grid.dataset.total = String(now);
}

function longPress() {
  let timer = 0;
  let start = null;
  let pressed = false;
  const end = () => clearTimeout(timer);
  grid.addEventListener("pointerdown", (event) => {
    pressed = false;
    const card = event.target.closest(".card");
    if (!card || event.pointerType !== "touch") return;
    start = event;
    timer = setTimeout(() => {
      pressed = true;
      if (!selecting()) select(true);
      toggle(card);
      navigator.vibrate?.(15);
    }, LONG_PRESS_MS);
  });
  grid.addEventListener("pointermove", (event) => {
    if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > STILL_PX) end();
  });
  for (const name of ["pointerup", "pointercancel", "dragstart"]) grid.addEventListener(name, end);
  grid.addEventListener("contextmenu", (event) => start?.pointerType === "touch" && event.target.closest(".card") && event.preventDefault());
  // What lifts the finger is no choice of its own.
  addEventListener("click", (event) => {
    if (!pressed) return;
    pressed = false;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
