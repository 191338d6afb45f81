// What a card of the grid says of its picture.

/** The address of the picture as `preview`, `image`, `link` ...; empty where there is none. */
export function addressOf(card, what) {
  const image = card.querySelector(".shot img");
  return image ? (image.dataset.still ?? image.getAttribute("src")).replace(/thumbnail$/, what) : "";
}
