// The map of days and hours begins at its newest day where it is wider than the screen.

export function startHeat() {
  const toNewest = () => {
    const map = document.querySelector(".heat");
    if (map && !map.scrollLeft) map.scrollLeft = map.scrollWidth;
  };
  document.getElementById("when")?.addEventListener("toggle", toNewest);
  document.addEventListener("htmx:after:swap", toNewest);
  toNewest();
}
