// Shows a message for a few seconds, to eyes and to screen readers.

export function say(text) {
  show(text, 5000);
}

/** A message with a button, for so many milliseconds. */
export function offer(text, label, ms, act) {
  const toast = show(text, ms);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toast-act";
  button.textContent = label;
  button.addEventListener("click", () => {
    toast.remove();
    act();
  });
  toast.classList.add("toast-undo");
  toast.append(button);
}

function show(text, ms) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.append(Object.assign(document.createElement("span"), { textContent: text }));
  const toasts = document.getElementById("toasts");
  toasts.append(toast);
  // Above whatever covers the page now.
  (document.querySelector(".pswp") ?? document.body).append(toasts);
  setTimeout(() => toast.remove(), ms);
  return toast;
}
