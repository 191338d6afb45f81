// Cards of events with several pictures move under the pointer and with the focus.

const LINGER_MS = 150; // a pointer that only passes loads nothing

export function startMoving() {
  const grid = document.getElementById("grid");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  if (!grid) return;
  const begin = (event) => {
    const image = imageOf(event);
    if (!image || calm.matches || event.pointerType === "touch") return;
    image.dataset.waits = setTimeout(() => play(image), LINGER_MS);
  };
  const end = (event) => {
    const image = imageOf(event);
    if (image && !image.closest(".card").contains(event.relatedTarget)) stop(image);
  };
  grid.addEventListener("pointerover", begin);
  grid.addEventListener("focusin", begin);
  grid.addEventListener("pointerout", end);
  grid.addEventListener("focusout", end);
}

function imageOf(event) {
  return event.target.closest("[data-moves]")?.querySelector(".shot img");
}

async function play(image) {
  if (image.dataset.still) return;
  const moving = new Image();
  moving.src = image.closest(".card").dataset.moves;
  try {
    await moving.decode();
  } catch {
    return; // it stays as it is
  }
  if (!image.dataset.waits) return; // the pointer has left
  image.dataset.still = image.getAttribute("src");
  image.src = moving.src;
}

function stop(image) {
  clearTimeout(Number(image.dataset.waits));
  delete image.dataset.waits;
  if (!image.dataset.still) return;
  image.src = image.dataset.still;
  delete image.dataset.still;
}
