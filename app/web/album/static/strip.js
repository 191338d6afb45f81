// The pictures of one event, in the viewer over its page. Without it, each link of the strip leads to its picture.

import { captionWith, load, remember } from "./lightbox.js";
import { tr } from "./words.js";

export function startStrip() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".strip-frames a");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(link);
  });
}

async function open(first) {
  const { default: PhotoSwipe } = await load();
  const links = [...first.closest(".strip-frames").querySelectorAll("a")];
  const viewer = new PhotoSwipe({
    dataSource: links.map(itemOf),
    index: links.indexOf(first),
    bgOpacity: 1,
    loop: false,
    wheelToZoom: true,
    returnFocus: false,
    arrowPrevTitle: tr("Earlier"),
    arrowNextTitle: tr("Later"),
    closeTitle: tr("Close"),
    zoomTitle: tr("Zoom"),
    errorMsg: tr("The picture cannot be shown."),
  });
  captionWith(viewer, () => {
    const [title, when] = [document.createElement("b"), document.createElement("span")];
    const link = links[viewer.currIndex];
    title.textContent = link.querySelector("img").alt;
    when.textContent = link.querySelector("time").title;
    return [title, when];
  });
  remember(viewer);
  viewer.on("destroy", () => links[viewer.currIndex].focus());
  viewer.init();
  viewer.element.setAttribute("aria-label", tr("Pictures of this event"));
}

function itemOf(link) {
  const image = link.querySelector("img");
  const [width, height] = ["width", "height"].map((name) => Number(image.getAttribute(name)));
  return { src: link.href, width, height, alt: image.alt, msrc: image.currentSrc || image.src, element: link, thumbCropped: true };
}
