// New pictures as they happen: on top of the grid, or behind a pill while the reader is further down.

const NEAR_TOP = 240;
const LONG_AWAY_MS = 300_000;

export function startLive() {
  const grid = document.getElementById("grid");
  if (!grid?.dataset.live) return;
  const pill = document.getElementById("fresh");
  const waiting = [];
  const show = () => {
    waiting.splice(0).forEach((card) => insert(grid, card));
    pill.hidden = true;
    document.dispatchEvent(new CustomEvent("album:cards"));
  };
  const arrived = (html) => {
    const card = cardOf(html, grid.dataset.query);
    if (!card || document.querySelector(`[data-id="${card.dataset.id}"]`)) return;
    if (waiting.some((other) => other.dataset.id === card.dataset.id)) return;
    waiting.push(card);
    document.getElementById("news").textContent = `New: ${card.dataset.caption}`;
    if (scrollY < NEAR_TOP) return show();
    pill.querySelector("span").textContent = `${waiting.length} new`;
    pill.hidden = false;
  };
  pill.addEventListener("click", () => {
    show();
    scrollTo({ top: 0, behavior: "smooth" });
  });
  listen(grid, arrived);
}

function listen(grid, arrived) {
  const address = new URL(grid.dataset.live, location.href);
  if (grid.dataset.last) address.searchParams.set("last_event_id", grid.dataset.last);
  let source = null;
  let left = 0;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(address);
    source.addEventListener("card", (event) => {
      if (event.lastEventId) address.searchParams.set("last_event_id", event.lastEventId);
      arrived(event.data);
    });
    // The browser reconnects by itself unless the server refused, as when a session has ended.
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return;
      close();
      setTimeout(open, 10_000);
    });
  };
  const close = () => {
    source?.close();
    source = null;
  };
  // A browser has six connections for a host: a hidden page leaves them to visible ones.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      left = Date.now();
      close();
    } else if (Date.now() - left > LONG_AWAY_MS && scrollY < NEAR_TOP) location.reload();
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}

function cardOf(html, query) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const card = template.content.querySelector(".card");
  const link = card?.querySelector("[data-open]");
  if (link && query) link.setAttribute("href", link.getAttribute("href") + query);
  return card;
}

function insert(grid, card) {
  grid.querySelector("[data-empty]")?.remove();
  const { day, dayText } = card.dataset;
  let heading = [...grid.querySelectorAll(".day")].find((other) => other.dataset.day <= day);
  if (heading?.dataset.day !== day) {
    const made = document.createElement("h2");
    made.className = "day";
    made.dataset.day = day;
    made.textContent = dayText;
    if (heading) heading.before(made);
    else grid.prepend(made);
    heading = made;
    if (dayText === "Today") rename(grid, day);
  }
  card.classList.add("is-new");
  heading.after(card);
  window.htmx?.process(card);
}

// A day has begun while the page was open: "Today" is now yesterday.
function rename(grid, today) {
  for (const heading of grid.querySelectorAll(".day")) {
    const days = Math.round((Date.parse(today) - Date.parse(heading.dataset.day)) / 86_400_000);
    if (days === 1) heading.textContent = "Yesterday";
    else if (days > 1 && /^(Today|Yesterday)$/.test(heading.textContent)) heading.textContent = named(heading.dataset.day);
  }
}

function named(day) {
  const say = (options) => new Date(day).toLocaleDateString("en-GB", { timeZone: "UTC", ...options });
  return `${say({ weekday: "long" })}, ${say({ day: "numeric", month: "long" })}`;
}
