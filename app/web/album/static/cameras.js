// The cameras' pages follow what happens: what came of each camera takes the place of what was there.

import { follow } from "./stream.js";

const MOST = 12;

export function startCameras() {
  const page = document.querySelector("[data-follow]");
  if (!page) return;
  follow(page.dataset.follow, "camera", { last: page.dataset.last, arrived: replace });
}

function replace(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const part of template.content.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (old) exchange(old, part);
  }
  const card = template.content.querySelector(".card");
  if (card) show(card);
  document.dispatchEvent(new CustomEvent("album:cards"));
}

// Nobody loses the place where they are.
function exchange(old, part) {
  const focused = links(old).indexOf(document.activeElement);
  old.replaceWith(part);
  if (focused >= 0) links(part)[focused]?.focus({ preventScroll: true });
}

function links(part) {
  return part.matches("a") ? [part] : [...part.querySelectorAll("a")];
}

function show(card) {
  const grid = document.getElementById("grid");
  if (!grid) return location.reload(); // the first picture: the page has no place for it yet
  if (document.getElementById(card.id)) return;
  card.classList.add("is-new");
  grid.prepend(card);
  while (grid.children.length > MOST) grid.lastElementChild.remove();
}
