// Light or dark at once, without loading the page again.

export function startTheme() {
  const form = document.querySelector("form[data-theme-switch]");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { value } = event.submitter;
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams({ theme: value }), redirect: "manual" });
    if (answer.type !== "opaqueredirect") return form.submit();
    if (value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === event.submitter));
  });
}
