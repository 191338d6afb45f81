// What scripts say, in the page's language: the page brings it along where that is not English.

const page = document.getElementById("texts");
const TEXTS = page ? JSON.parse(page.textContent) : {};

const { lang } = document.documentElement;

/** The language of the page as the browser's owner writes it: `de-AT`, where that is among theirs. */
export const LANGUAGE = navigator.languages.find((tag) => tag.split("-")[0] === lang) ?? (lang === "en" ? "en-GB" : lang);

/** An English text in the page's language; `{name}` in it stands for a value. */
export function tr(text, values = {}) {
  return (TEXTS[text] ?? text).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}
