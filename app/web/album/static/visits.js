// The pictures of a visit on its card: under the pointer, which goes through them, and by swiping. They are loaded then.

import { addressOf } from "./cards.js";

const LINGER_MS = 150; // a pointer that only passes loads nothing
const STEP_PX = 40;

export function startVisits() {
  const grid = document.getElementById("grid");
  if (!grid) return;
  grid.addEventListener("pointerover", (event) => {
    const card = pileOf(event.target);
    if (!card || event.pointerType === "touch" || card.dataset.waits) return;
    card.dataset.waits = setTimeout(() => unfold(card), LINGER_MS);
  });
  grid.addEventListener("pointermove", (event) => {
    const card = pileOf(event.target);
    if (!card?.leaves || event.pointerType === "touch") return;
    const { left, width } = card.querySelector(".shot").getBoundingClientRect();
    show(card, Math.floor(((event.clientX - left) / width) * card.leaves.length));
  });
  grid.addEventListener("pointerout", (event) => {
    const card = pileOf(event.target);
    if (!card || card.contains(event.relatedTarget)) return;
    clearTimeout(Number(card.dataset.waits));
    delete card.dataset.waits;
  });
  document.addEventListener("album:filtered", () => grid.querySelectorAll(".card").forEach(fold));
  swipe(grid);
}

// What it has may have changed: it is asked anew.
export function fold(card) {
  delete card.leaves;
  delete card.unfolding;
  card.querySelector(".leaves")?.remove();
}

function pileOf(element) {
  const card = element.closest(".shot, .pile")?.closest(".card");
  return card && Number(card.dataset.pictures) > 1 ? card : null;
}

// Asks once for all pictures of the visit, oldest first; their thumbnails come one by one.
function unfold(card) {
  card.unfolding ??= load(card);
  return card.unfolding;
}

async function load(card) {
  const home = document.body.dataset.home;
  const query = document.getElementById("grid").dataset.query;
  try {
    const answer = await fetch(`${home}visits/${card.dataset.visit}${query}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    card.leaves = [...template.content.querySelectorAll(".card")].filter((leaf) => addressOf(leaf, "preview")).reverse();
  } catch {
    return; // it stays as it is
  }
  if (card.leaves.length < 2) return;
  const bar = document.createElement("span");
  bar.className = "leaves";
  bar.setAttribute("aria-hidden", "true");
  bar.append(...card.leaves.map(() => document.createElement("i")));
  card.querySelector(".shot").append(bar);
  show(card, card.leaves.findIndex((leaf) => leaf.id === card.id));
}

// What is opened is the picture that is seen.
function show(card, number) {
  const leaf = card.leaves[Math.max(0, Math.min(card.leaves.length - 1, number))];
  const [bar, image] = [card.querySelector(".leaves"), card.querySelector(".shot img")];
  if (!leaf || !bar || !image) return;
  [...bar.children].forEach((mark, index) => mark.classList.toggle("is-here", card.leaves[index] === leaf));
  if (addressOf(card, "preview") === addressOf(leaf, "preview")) return;
  card.dataset.boxes = leaf.dataset.boxes ?? "";
  const theirs = leaf.querySelector(".shot img");
  for (const name of ["src", "alt", "width", "height"]) image.setAttribute(name, theirs.getAttribute(name));
  card.querySelector(".shot").href = leaf.querySelector(".shot").getAttribute("href");
  card.querySelector(".line time").title = leaf.querySelector(".line time").title;
  card.querySelector("[data-star]").replaceWith(leaf.querySelector("[data-star]").cloneNode(true));
}

function swipe(grid) {
  let from = null;
  let moved = false;
  grid.addEventListener("touchstart", ({ target, touches }) => {
    const card = touches.length === 1 && pileOf(target);
    from = card ? { card, at: touches[0].clientX } : null;
    moved = false;
  }, { passive: true });
  grid.addEventListener("touchmove", async ({ touches }) => {
    const swiped = from;
    if (!swiped || Math.abs(touches[0].clientX - swiped.at) < STEP_PX) return;
    const by = touches[0].clientX < swiped.at ? 1 : -1;
    swiped.at = touches[0].clientX;
    moved = true;
    await unfold(swiped.card);
    const here = swiped.card.leaves?.findIndex((leaf) => addressOf(leaf, "preview") === addressOf(swiped.card, "preview")) ?? -1;
    if (here >= 0) show(swiped.card, here + by);
  }, { passive: true });
  // The end of a swipe opens nothing.
  grid.addEventListener("click", (event) => {
    if (!moved) return;
    moved = false;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}
