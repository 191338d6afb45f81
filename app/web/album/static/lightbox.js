// The viewer over the grid: swipe, zoom, keys, boxes, stars. Loaded when the first picture is opened.

import { boxesWanted, overlay, place, wantBoxes } from "./boxes.js";
import { addressOf } from "./cards.js";
import { share } from "./forms.js";
import { total } from "./select.js";
import { deletePictures } from "./undo.js";
import { tr } from "./words.js";

const AHEAD = 6; // pictures from the end at which older ones are asked for
const MOST = 10_000; // so many are counted
const REACH = 8; // neighbours on each side in the strip

export function startLightbox() {
  // Forward, to a viewer that is closed: its picture has a page.
  addEventListener("popstate", ({ state }) => state?.viewer && !document.querySelector(".pswp--open") && location.reload());
  const grid = document.getElementById("grid");
  if (!grid) return;
  grid.addEventListener("pointerover", load, { once: true });
  grid.addEventListener("click", (event) => {
    const link = event.target.closest("[data-open]");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    const card = link.closest(".card");
    if (!addressOf(card, "preview") || "video" in card.dataset) return; // its page shows why there is no picture, or plays
    event.preventDefault();
    open(grid, card);
  });
}

export function load() {
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
    counter: false, // ours counts all that the search finds
    arrowPrevTitle: tr("Newer"),
    arrowNextTitle: tr("Older"),
    closeTitle: tr("Close"),
    zoomTitle: tr("Zoom"),
    errorMsg: tr("The picture cannot be shown."),
  });
  viewer.addFilter("numItems", () => cards.length);
  viewer.addFilter("itemData", (_, index) => itemOf(cards[index]));
  viewer.addFilter("thumbEl", (_, item) => item.card?.querySelector("img"));
  const current = () => cards[viewer.currIndex];
  addButtons(viewer, current, cards);
  addCaption(viewer, current);
  addBoxes(viewer);
  viewer.on("change", () => document.dispatchEvent(new CustomEvent("album:opened", { detail: current() })));
  addStrip(viewer, cards);
  addCount(viewer, grid);
  viewer.on("change", () => viewer.currIndex > cards.length - AHEAD && document.querySelector("[data-older]")?.click());
  const more = () => cards.push(...cardsOf(grid).slice(-60).filter((card) => !cards.includes(card) && isAfter(cards.at(-1), card)));
  document.addEventListener("htmx:after:swap", more);
  remember(viewer, () => current()?.querySelector("[data-open]").href);
  viewer.on("destroy", () => {
    document.body.append(document.getElementById("toasts"));
    document.removeEventListener("htmx:after:swap", more);
    current()?.querySelector("[data-open]").focus({ preventScroll: false });
  });
  viewer.init();
  viewer.element.setAttribute("aria-label", tr("Pictures"));
}

function cardsOf(grid) {
  return [...grid.querySelectorAll(".card")].filter((card) => addressOf(card, "preview"));
}

function isAfter(card, other) {
  return Boolean(card.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
}

function itemOf(card) {
  const image = card.querySelector("img");
  const [width, height] = ["width", "height"].map((name) => Number(image.getAttribute(name)));
  return { src: addressOf(card, "preview"), width, height, alt: image.alt, msrc: image.currentSrc || image.src, thumbCropped: true, card, boxes: card.dataset.boxes };
}

function addButtons(viewer, current, cards) {
  const icon = (name) => `<svg class="icon" aria-hidden="true"><use href="#i-${name}"/></svg>`;
  const button = (name, title, order, symbol, onInit, onClick) =>
    viewer.ui.registerElement({ name, title, ariaLabel: title, order, isButton: true, className: `pswp__button--mark pswp__button--${name}`, html: icon(symbol), onInit, onClick });
  viewer.on("uiRegister", () => {
    button("star", tr("Star (s)"), 7, "star", (element) => viewer.on("change", () => current() && press(element, isStarred(current()))), (_, element) => {
      const starred = isStarred(current());
      current().querySelector("[data-star] button").click();
      press(element, !starred);
    });
    button("boxes", tr("Boxes (b)"), 8, "boxes", (element) => press(element, boxesWanted()), (_, element) => {
      wantBoxes(!boxesWanted());
      press(element, boxesWanted());
      viewer.element.querySelectorAll(".overlay").forEach((layer) => (layer.hidden = !boxesWanted()));
    });
    button("share", tr("Share"), 9, "share", null, () => share(addressOf(current(), "link"), current().querySelector("img").alt));
    button("delete", tr("Delete (Del)"), 9, "trash", null, () => remove(viewer, cards));
    viewer.ui.registerElement({
      name: "download", title: tr("Download"), ariaLabel: tr("Download"), order: 9, isButton: true, tagName: "a", className: "pswp__button--mark pswp__button--download",
      html: icon("download"),
      onInit: (link) => {
        link.download = "";
        viewer.on("change", () => current() && (link.href = addressOf(current(), "image")));
      },
    });
    button("about", tr("All about it (i)"), 9, "info", null, () => location.assign(current().querySelector("[data-open]").href));
  });
  viewer.on("keydown", ({ originalEvent: event }) => {
    const name = { s: "star", b: "boxes", i: "about", Delete: "delete" }[event.key];
    if (name && !event.ctrlKey && !event.metaKey && !event.altKey) viewer.element.querySelector(`.pswp__button--${name}`)?.click();
  });
}

// The next older one takes its place; what was deleted can come back there.
async function remove(viewer, cards) {
  const [index, card] = [viewer.currIndex, cards[viewer.currIndex]];
  const [next, parent] = [card.nextSibling, card.parentNode];
  const restored = () => {
    parent.insertBefore(card, next?.parentNode === parent ? next : null);
    total(1);
    if (!viewer.isOpen) return;
    cards.splice(index, 0, card);
    show(viewer, index);
  };
  if (!(await deletePictures([card.id], restored))) return;
  cards.splice(cards.indexOf(card), 1);
  card.remove();
  total(-1);
  if (cards.length) show(viewer, Math.min(index, cards.length - 1));
  else viewer.close();
}

function show(viewer, index) {
  viewer.goTo(index);
  for (let near = index - 2; near <= index + 3; near++) if (near >= 0) viewer.refreshSlideContent(near);
}

function addCount(viewer, grid) {
  viewer.on("uiRegister", () => {
    viewer.ui.registerElement({
      name: "count", order: 5, className: "pswp__count",
      onInit: (element) => viewer.on("change", () => {
        if (!grid.dataset.total) return; // cards are visits
        const [first, all] = [Number(grid.dataset.first || 1), Number(grid.dataset.total || 0)];
        const said = (number) => number.toLocaleString("en") + (number >= MOST ? "+" : "");
        element.textContent = `${said(first + viewer.currIndex)} of ${said(Math.max(all, first + viewer.currIndex))}`;
      }),
    });
  });
}

// The pictures before and after, as small ones that are there already.
function addStrip(viewer, cards) {
  viewer.on("uiRegister", () => {
    viewer.ui.registerElement({
      name: "beside", className: "pswp__beside", appendTo: "root",
      onInit: (element) => {
        element.setAttribute("role", "group");
        element.setAttribute("aria-label", tr("Pictures before and after"));
        element.addEventListener("click", (event) => {
          const button = event.target.closest("button");
          if (button) viewer.goTo(Number(button.dataset.index));
        });
        viewer.on("change", () => {
          const first = Math.max(0, viewer.currIndex - REACH);
          element.replaceChildren(...cards.slice(first, viewer.currIndex + REACH + 1).map((card, at) => beside(card, first + at, viewer.currIndex)));
          const here = element.querySelector("[aria-current]");
          if (here) element.scrollLeft = here.offsetLeft - (element.clientWidth - here.offsetWidth) / 2;
        });
      },
    });
  });
}

function beside(card, index, current) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.index = index;
  const shown = card.querySelector("img");
  button.setAttribute("aria-label", shown.alt);
  if (index === current) button.setAttribute("aria-current", "true");
  const image = button.appendChild(document.createElement("img"));
  image.src = shown.src;
  image.alt = "";
  return button;
}

function press(element, pressed) {
  element.setAttribute("aria-pressed", String(pressed));
}

function isStarred(card) {
  return card.querySelector("[data-star]").classList.contains("is-on");
}

function addCaption(viewer, current) {
  captionWith(viewer, () => (current() ? captionOf(current()) : []));
}

export function captionWith(viewer, elements) {
  viewer.on("uiRegister", () => {
    viewer.ui.registerElement({
      name: "caption",
      className: "pswp__caption",
      appendTo: "root",
      onInit: (element) => {
        element.setAttribute("aria-live", "polite");
        viewer.on("change", () => element.replaceChildren(...elements()));
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
  const said = document.createElement("p");
  said.textContent = card.dataset.said ?? "";
  return [title, when, ...(card.dataset.said ? [said] : []), chips];
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

// The back button closes the viewer, as people expect on a phone. `address`: of the page of what it shows.
export function remember(viewer, address = () => undefined) {
  history.pushState({ viewer: true }, "", address());
  viewer.on("change", () => history.replaceState({ viewer: true }, "", address()));
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
