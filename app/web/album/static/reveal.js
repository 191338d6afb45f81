// A button beside each password that shows what was typed.

export function startReveal() {
  const template = document.getElementById("reveal");
  if (!template) return;
  for (const input of document.querySelectorAll("input[type=password]")) {
    const button = template.content.firstElementChild.cloneNode(true);
    const field = input.closest("label") ?? input; // a button in a label would be read as a part of its name
    const cover = document.createElement("div");
    cover.className = "secret";
    field.replaceWith(cover);
    cover.append(field, button);
    button.addEventListener("click", () => show(input, button, input.type === "password"));
    input.form?.addEventListener("submit", () => show(input, button, false)); // as a browser knows passwords
    if (input.autofocus) input.focus();
  }
}

function show(input, button, shown) {
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}
