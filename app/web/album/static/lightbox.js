// The viewer over the grid: swipe, zoom, keys, boxes, stars. Loaded when the first picture is opened.

import { boxesWanted, overlay, place, wantBoxes } from "./boxes.js";

const AHEAD = 6; // pictures from the end at which older ones are asked for

export function startLightbox() {
  const grid = document.getElementById("grid");
  if (!grid) return;
  grid.addEventListener("pointerover", load, { once: true });
  grid.addEventListener("click", (event) => {
    const link = event.target.closest("[data-open]");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    const card = link.closest(".card");
    if (!card.dataset.preview) return; // its page shows why there is no picture
    event.preventDefault();
    open(grid, card);
  });
}

function load() {
  return import("./vendor/photoswipe-5.4.4.esm.min.js");
}

async function open(grid, first) {
  const { default: PhotoSwipe } = await load();
  const cards = cardsOf(grid);
  const viewer = new PhotoSwipe({
    index: cards.indexOf(first),
    bgOpacity: 1,
    loop: false,
    preload: [1, 2],
    wheelToZoom: true,
    returnFocus: false,
    arrowPrevTitle: "Newer",
    arrowNextTitle: "Older",
    closeTitle: "Close",
    zoomTitle: "Zoom",
    errorMsg: "The picture cannot be shown.",
  });
  viewer.addFilter("numItems", () => cards.length);
  viewer.addFilter("itemData", (_, index) => itemOf(cards[index]));
  viewer.addFilter("thumbEl", (_, item) => item.card?.querySelector("img"));
  const current = () => cards[viewer.currIndex];
  addButtons(viewer, current);
  addCaption(viewer, current);
  addBoxes(viewer);
  viewer.on("change", () => viewer.currIndex > cards.length - AHEAD && document.querySelector("[data-older]")?.click());
  const more = () => cards.push(...cardsOf(grid).slice(-60).filter((card) => !cards.includes(card) && isAfter(cards.at(-1), card)));
  document.addEventListener("htmx:after:swap", more);
  remember(viewer);
  viewer.on("destroy", () => {
    document.removeEventListener("htmx:after:swap", more);
    current()?.querySelector("[data-open]").focus({ preventScroll: false });
  });
  viewer.init();
  viewer.element.setAttribute("aria-label", "Pictures");
}

function cardsOf(grid) {
  return [...grid.querySelectorAll(".card")].filter((card) => card.dataset.preview);
}

function isAfter(card, other) {
  return Boolean(card.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
}

function itemOf(card) {
  const { preview, width, height, caption, boxes } = card.dataset;
  const image = card.querySelector("img");
  return { src: preview, width: Number(width), height: Number(height), alt: caption, msrc: image.currentSrc || image.src, thumbCropped: true, card, boxes };
}

function addButtons(viewer, current) {
  const icon = (name) => `<svg class="icon" aria-hidden="true"><use href="#i-${name}"/></svg>`;
  const button = (name, title, order, symbol, onInit, onClick) =>
    viewer.ui.registerElement({ name, title, ariaLabel: title, order, isButton: true, className: `pswp__button--mark pswp__button--${name}`, html: icon(symbol), onInit, onClick });
  viewer.on("uiRegister", () => {
    button("star", "Star (s)", 7, "star", (element) => viewer.on("change", () => press(element, isStarred(current()))), (_, element) => {
      const starred = isStarred(current());
      current().querySelector("[data-star]").requestSubmit();
      press(element, !starred);
    });
    button("boxes", "Boxes (b)", 8, "boxes", (element) => press(element, boxesWanted()), (_, element) => {
      wantBoxes(!boxesWanted());
      press(element, boxesWanted());
      viewer.element.querySelectorAll(".overlay").forEach((layer) => (layer.hidden = !boxesWanted()));
    });
    button("about", "All about it (i)", 9, "info", null, () => location.assign(current().querySelector("[data-open]").href));
  });
  viewer.on("keydown", ({ originalEvent: event }) => {
    const name = { s: "star", b: "boxes", i: "about" }[event.key];
    if (name && !event.ctrlKey && !event.metaKey && !event.altKey) viewer.element.querySelector(`.pswp__button--${name}`)?.click();
  });
}

function press(element, pressed) {
  element.setAttribute("aria-pressed", String(pressed));
}

function isStarred(card) {
  return card.querySelector("[data-star]").classList.contains("is-on");
}

function addCaption(viewer, current) {
  viewer.on("uiRegister", () => {
    viewer.ui.registerElement({
      name: "caption",
      className: "pswp__caption",
      appendTo: "root",
      onInit: (element) => {
        element.setAttribute("aria-live", "polite");
        viewer.on("change", () => element.replaceChildren(...captionOf(current())));
      },
    });
  });
}

function captionOf(card) {
  const title = document.createElement("b");
  title.textContent = card.querySelector(".place").textContent;
  const when = document.createElement("span");
  when.textContent = card.querySelector("time").title;
  const chips = document.createElement("div");
  chips.className = "chips";
  chips.append(...[...card.querySelectorAll(".chip")].map((chip) => chip.cloneNode(true)));
  return [title, when, chips];
}

function addBoxes(viewer) {
  const cover = ({ content, slide }) => {
    const item = content?.data ?? slide?.data;
    const container = (slide ?? content?.slide)?.container;
    if (!item?.boxes || !container) return;
    let layer = container.querySelector(".overlay");
    if (!layer) {
      layer = overlay(item.boxes);
      layer.hidden = !boxesWanted();
    }
    container.append(layer); // above the picture, whenever that was loaded
    const image = content?.element ?? slide?.content?.element;
    if (image) place(layer, 0, 0, parseFloat(image.style.width), parseFloat(image.style.height));
  };
  viewer.on("imageSizeChange", cover);
  viewer.on("contentAppendImage", (event) => queueMicrotask(() => cover(event)));
}

// It takes no input while it opens.
function close(viewer) {
  if (viewer.opener.isOpen) viewer.close();
  else viewer.on("openingAnimationEnd", () => viewer.close());
}

// The back button closes the viewer, as people expect on a phone.
function remember(viewer) {
  history.pushState({ viewer: true }, "");
  const back = () => close(viewer);
  const escape = (event) => event.key === "Escape" && !viewer.opener.isOpen && back();
  addEventListener("popstate", back);
  addEventListener("keydown", escape);
  viewer.on("close", () => {
    removeEventListener("popstate", back);
    removeEventListener("keydown", escape);
    if (history.state?.viewer) history.back();
  });
}
