// New pictures as they happen: on top of the grid, or behind a pill while the reader is further down.

import { follow } from "./stream.js";
import { fold } from "./visits.js";
import { LANGUAGE, tr } from "./words.js";

const NEAR_TOP = 240;

export function startLive() {
  const grid = document.getElementById("grid");
  const pill = document.getElementById("fresh");
  if (!grid || !pill) return;
  const waiting = [];
  const show = () => {
    waiting.splice(0).forEach((card) => join(grid, card) || insert(grid, card));
    pill.hidden = true;
    document.dispatchEvent(new CustomEvent("album:cards"));
  };
  const arrived = (html) => {
    const card = cardOf(html, grid);
    if (!card || document.getElementById(card.id)) return;
    if (waiting.some((other) => other.id === card.id)) return;
    waiting.push(card);
    document.getElementById("news").textContent = tr("New: {picture}", { picture: words(card) });
    if (scrollY < NEAR_TOP) return show();
    pill.querySelector("span").textContent = tr("{number} new", { number: waiting.length });
    pill.hidden = false;
  };
  pill.addEventListener("click", () => {
    show();
    scrollTo({ top: 0, behavior: "smooth" });
  });
  const listen = () =>
    grid.dataset.live ? follow(grid.dataset.live, "card", { last: grid.dataset.last, arrived, mayReload: () => scrollY < NEAR_TOP }) : () => {};
  let stop = listen();
  document.addEventListener("album:filtered", () => {
    stop();
    waiting.length = 0;
    pill.hidden = true;
    stop = listen();
  });
}

function cardOf(html, grid) {
  const { query, by } = grid.dataset;
  const template = document.createElement("template");
  template.innerHTML = html;
  const card = template.content.querySelector(".card");
  const link = card?.querySelector("[data-open]");
  if (link && query) link.setAttribute("href", link.getAttribute("href") + query);
  if (by === "visit" && card) standForVisit(card);
  return card;
}

// A card of a visit reviews all of it, and chooses all of it.
function standForVisit(card) {
  Object.assign(card.querySelector(".pick input"), { name: "visit", value: card.dataset.visit });
  card.querySelector("[data-review]")?.setAttribute("action", `${document.body.dataset.home}visits/${card.dataset.visit}/review`);
}

// What is in its picture, or why there is none.
function words(card) {
  const shown = card.querySelector(".shot > [alt], .shot > [aria-label]");
  return shown.getAttribute("alt") ?? shown.getAttribute("aria-label");
}

// A picture of a visit that the page has: one card, with one more, and with the better picture.
function join(grid, card) {
  const { visit } = card.dataset;
  const there = grid.dataset.by === "visit" && grid.querySelector(`.card[data-visit="${visit}"]`);
  if (!there) return false;
  const pictures = Number(there.dataset.pictures) + 1;
  const better = Number(card.dataset.rank) > Number(there.dataset.rank);
  const [kept, left] = better ? [card, there] : [there, card];
  const time = card.querySelector("time").cloneNode(true);
  time.title = kept.querySelector("time").title; // what is said of the picture is about that one
  kept.querySelector("time").replaceWith(time);
  if (!better && left.querySelector("[data-review]")) kept.querySelector("[data-review]")?.replaceWith(left.querySelector("[data-review]"));
  kept.dataset.pictures = pictures;
  kept.querySelector(".pick input").checked = there.querySelector(".pick input").checked;
  kept.dataset.day = card.dataset.day;
  kept.dataset.dayText = card.dataset.dayText;
  kept.querySelector(".pile")?.remove();
  kept.querySelector(".line").before(pile(grid, visit, pictures));
  fold(kept); // it has one more
  there.remove();
  insert(grid, kept);
  return true;
}

function pile(grid, visit, pictures) {
  const link = document.createElement("a");
  const query = new URLSearchParams(grid.dataset.query);
  query.set("visit", visit);
  link.className = "pile";
  link.href = `${document.body.dataset.home}?${query}`;
  link.textContent = pictures;
  link.setAttribute("aria-label", tr("{number} pictures of this visit", { number: pictures }));
  return link;
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
    if (dayText === tr("Today")) rename(grid, day);
  }
  card.classList.add("is-new");
  heading.after(card);
}

// A day has begun while the page was open: "Today" is now yesterday.
function rename(grid, today) {
  for (const heading of grid.querySelectorAll(".day")) {
    const days = Math.round((Date.parse(today) - Date.parse(heading.dataset.day)) / 86_400_000);
    if (days === 1) heading.textContent = tr("Yesterday");
    else if (days > 1 && [tr("Today"), tr("Yesterday")].includes(heading.textContent)) heading.textContent = named(heading.dataset.day);
  }
}

function named(day) {
  const say = (options) => new Date(day).toLocaleDateString(LANGUAGE, { timeZone: "UTC", ...options });
  return `${say({ weekday: "long" })}, ${say({ day: "numeric", month: "long" })}`;
}
