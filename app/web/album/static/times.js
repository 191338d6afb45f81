// Times in the page's language and the browser's 12 or 24 hours, by the home's clock; "2 min ago" beside what has just happened.

import { LANGUAGE, tr } from "./words.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const { hourCycle } = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
const style = (options) => new Intl.DateTimeFormat(LANGUAGE, { hourCycle, ...options, timeZone: "UTC" });
const STYLES = {
  time: style({ timeStyle: "medium" }),
  short: style({ timeStyle: "short" }),
  long: style({ dateStyle: "full", timeStyle: "medium" }),
  day: style({ weekday: "long", day: "numeric", month: "long" }),
  "day of a year": style({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
};
const NEAR = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });

export function startTimes() {
  refresh();
  setInterval(refresh, 20_000);
  document.addEventListener("htmx:after:swap", refresh);
  document.addEventListener("album:cards", refresh);
}

function refresh() {
  const now = Date.now();
  const times = [...document.querySelectorAll("time[datetime]")];
  for (const time of times) {
    const at = atHome(time.dateTime);
    say(time, textOf(time, at, now));
    const long = STYLES.long.format(at);
    if (time.title && time.title !== long) time.title = long;
  }
  if (!times.length) return;
  for (const heading of document.querySelectorAll("h2.day[data-day]")) {
    say(heading, dayOf(Date.parse(`${heading.dataset.day}T00:00Z`), now + offset(times[0].dateTime)));
  }
}

function textOf(time, at, now) {
  const age = now - Date.parse(time.dateTime);
  if ("recent" in time.dataset && age < HOUR && age > -60_000) return `${STYLES.short.format(at)} · ${words(age)}`;
  const { show } = time.dataset;
  if (show in STYLES) return STYLES[show].format(at);
  const clock = { "day-time": "time", "day-short": "short" }[show];
  return clock && `${dayOf(at, now + offset(time.dateTime))}, ${STYLES[clock].format(at)}`;
}

// What clocks at home show, as if it were UTC.
function atHome(iso) {
  return Date.parse(`${iso.slice(0, 19)}Z`);
}

function offset(iso) {
  return atHome(iso) - Date.parse(iso);
}

function dayOf(at, now) {
  const days = Math.floor(at / DAY) - Math.floor(now / DAY);
  if (days === 0 || days === -1) return capital(NEAR.format(days, "day"));
  const isThisYear = new Date(at).getUTCFullYear() === new Date(now).getUTCFullYear();
  return STYLES[isThisYear ? "day" : "day of a year"].format(at);
}

function capital(text) {
  return text[0].toLocaleUpperCase(LANGUAGE) + text.slice(1);
}

function words(age) {
  const minutes = Math.floor(age / 60_000);
  return minutes < 1 ? tr("just now") : tr("{number} min ago", { number: minutes });
}

// What comes behind a dot is left out where there is no room for it.
function say(element, text) {
  if (!text || element.textContent === text) return;
  const [first, ago] = text.split(/(?= · )/);
  const rest = document.createElement("span");
  rest.className = "ago";
  rest.textContent = ago;
  element.replaceChildren(first, ...(ago ? [rest] : []));
}
