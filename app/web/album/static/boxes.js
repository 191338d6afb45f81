// Draws what the detector saw over a picture. The choice, on or off, is remembered.

import { tr } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const KEPT = "album.boxes";

export function boxesWanted() {
  try {
    return localStorage.getItem(KEPT) === "on";
  } catch {
    return false;
  }
}

export function wantBoxes(wanted) {
  try {
    localStorage.setItem(KEPT, wanted ? "on" : "off");
  } catch {
    // A browser without storage forgets the choice.
  }
}

/** An element to lie over the picture, made of `data-boxes`; null when there are none. */
export function overlay(text) {
  if (!text) return null;
  const layer = document.createElement("div");
  layer.className = "overlay";
  layer.setAttribute("aria-hidden", "true");
  const svg = layer.appendChild(document.createElementNS(SVG, "svg"));
  svg.setAttribute("viewBox", "0 0 1 1");
  svg.setAttribute("preserveAspectRatio", "none");
  for (const [name, percent, boxes] of JSON.parse(text)) {
    boxes.forEach((box, number) => {
      svg.append(rectangle(name, box));
      layer.append(tag(name, number ? 0 : percent, box));
    });
  }
  return layer;
}

/** The viewer page's own picture. */
export function startBoxes() {
  const frame = document.querySelector(".frame[data-boxes]");
  const button = document.querySelector("[data-boxes-toggle]");
  if (!frame || !button) return;
  const image = frame.querySelector("img");
  image.src = image.src.replace(/annotated$/, "preview"); // drawn by us from here on
  const layer = overlay(frame.dataset.boxes);
  frame.append(layer);
  const fit = () => {
    const [inner, outer] = [image.getBoundingClientRect(), frame.getBoundingClientRect()];
    place(layer, inner.left - outer.left, inner.top - outer.top, inner.width, inner.height);
  };
  new ResizeObserver(fit).observe(image);
  const show = (wanted) => {
    layer.hidden = !wanted;
    document.querySelector("[data-boxes-toggle]").setAttribute("aria-pressed", String(wanted));
    fit();
  };
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-boxes-toggle]");
    if (!pressed) return;
    event.preventDefault();
    wantBoxes(layer.hidden);
    show(layer.hidden);
  });
  document.addEventListener("htmx:after:swap", () => show(!layer.hidden));
  show(boxesWanted() || button.getAttribute("aria-pressed") === "true");
}

export function place(layer, left, top, width, height) {
  Object.assign(layer.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
}

function rectangle(name, [left, top, width, height, still]) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [key, value] of Object.entries({ x: left, y: top, width, height })) rect.setAttribute(key, value);
  if (name === "Person") rect.classList.add("of-person");
  if (still) rect.classList.add("is-still");
  return rect;
}

function tag(name, percent, [left, top, , , still]) {
  const label = document.createElement("span");
  label.className = name === "Person" ? "tag tag-person" : "tag";
  if (top < 0.06) label.classList.add("tag-inside");
  if (still) label.classList.add("is-still");
  label.textContent = still ? tr("{name}, still", { name }) : percent ? `${name} ${percent} %` : name;
  label.style.left = `${left * 100}%`;
  label.style.top = `${top * 100}%`;
  return label;
}
