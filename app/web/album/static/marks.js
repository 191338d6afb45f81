// Stars, and what was reviewed: set in place. What somebody opens is reviewed, as in Frigate; the button and `r` take
// that back. Without this, each is a form.

export function startMarks() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-star], [data-review]") || !window.htmx) return;
    event.preventDefault();
    set(event.target);
  });
  document.addEventListener("album:opened", (event) => review(event.detail));
  const about = document.querySelector(".viewer .about");
  if (about) addEventListener("load", () => review(about));
}

function review(place) {
  const form = place.querySelector("[data-review]:not(.is-on)");
  if (form && window.htmx && document.body.dataset.right !== "viewer") set(form); // who only looks reviews nothing
}

// The form as it is then takes its place.
function set(form) {
  const { name, value } = form.querySelector("button");
  window.htmx.ajax("POST", form.getAttribute("action"), { source: form, target: form, swap: "outerHTML", values: { [name]: value } });
}
