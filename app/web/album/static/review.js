// What somebody opens is reviewed, as in Frigate; the button and `r` take that back. Without this, the button alone says it.

export function startReview() {
  document.addEventListener("album:opened", (event) => review(event.detail));
  const about = document.querySelector(".viewer .about");
  if (about) addEventListener("load", () => review(about));
}

async function review(place) {
  const form = place.querySelector("[data-review]:not(.is-on)");
  if (!form) return;
  const answer = await fetch(form.action, { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok || !form.isConnected) return;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  const button = template.content.querySelector("[data-review]");
  form.replaceWith(button);
  window.htmx?.process(button);
}
