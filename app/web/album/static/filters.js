// Filters apply as they are set: the page that has them replaces this one, field by field, and the focus stays.

let turns = 0;
let busy = Promise.resolve();
let shown = location.pathname + location.search;
let wanted = shown; // what was asked for last; it may be on its way

export function startFilters() {
  const form = document.getElementById("filters-form");
  if (!form || !window.htmx) return;
  document.addEventListener("change", (event) => event.target.form === form && apply(addressOf(form)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    document.activeElement?.blur(); // keys are for the pictures now
    apply(addressOf(form));
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".quick a, .heat a, .switch a");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const address = link.matches("[data-all]") ? new URL(link.href) : addedUp(new URL(link.href));
    fill(form, address.searchParams);
    apply(address);
  });
  // Back and forward: what stood there is loaded anew.
  addEventListener("popstate", () => {
    const here = location.pathname + location.search;
    if (location.pathname === document.body.dataset.home && here !== shown) location.reload();
  });
}

function addressOf(form) {
  const fields = [...new FormData(form)].filter(([, value]) => value);
  return fields.length ? `${form.action}?${new URLSearchParams(fields)}` : form.action;
}

// What a link changes of the page that it stands on is changed of what was asked for last.
function addedUp(link) {
  const here = new URL(shown, location.href).searchParams;
  const address = new URL(wanted, location.href);
  for (const name of new Set([...here.keys(), ...link.searchParams.keys()])) {
    const values = link.searchParams.getAll(name);
    if (String(here.getAll(name)) === String(values)) continue;
    address.searchParams.delete(name);
    values.forEach((value) => address.searchParams.append(name, value));
  }
  return address;
}

// What a link sets is in the form at once: the next change builds on it.
function fill(form, chosen) {
  for (const field of form.elements) {
    if (field.type === "checkbox") field.checked = chosen.get(field.name) === field.value;
    else if (field.name) field.value = chosen.get(field.name) ?? "";
  }
}

// One after the other, and of those that wait the last one alone.
function apply(address) {
  const turn = ++turns;
  const url = new URL(address, location.href);
  wanted = url.pathname + url.search;
  busy = busy.then(() => turn === turns && load(url, () => turn === turns));
}

async function load(url, isLast) {
  if (url.pathname + url.search === shown) return;
  document.body.classList.add("is-loading");
  try {
    await window.htmx.ajax("GET", url.pathname + url.search, { target: ".layout", select: ".layout", swap: "outerMorph" });
  } catch {
    location.assign(url);
    return;
  } finally {
    document.body.classList.remove("is-loading");
  }
  shown = url.pathname + url.search;
  history.pushState({}, "", shown);
  if (isLast()) document.getElementById("filters-form").reset(); // to what the page says now
  document.dispatchEvent(new CustomEvent("album:filtered"));
}
