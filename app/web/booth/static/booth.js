// The booth's page. Where a guest is on the way, the service says; the page shows it, and forgets all of it in `ready`.

import { Camera } from "./camera.js";
import { Keyboard } from "./keyboard.js";
import { keepAwake, lettersOn, offerFullScreen } from "./screen.js";

const LOOK_MS = 1000;
const CALL_MS = 20000;
const STAY_MS = 10000;
const AWAY_MS = 3000;
const IDLE_MS = 60000;

const config = JSON.parse(document.getElementById("config").textContent);
const get = (id) => document.getElementById(id);
const form = { name: get("guest-name"), email: get("guest-email"), consent: get("consent") };
const keyboard = new Keyboard(get("keyboard"), [form.name, form.email]);
const camera = config.camera === "tablet" ? new Camera(get("view"), config.side) : null;

let now = { state: "", guest: "", taken: 0 };
let words = config.words[config.language];
let language = config.language;
let ends = Infinity; // when the state does, by the page's own clock
let shoots = 0; // which way through the pictures this is: an earlier one stops
let stayed = 0;
let spoken = 0;
let cameraProblem = ""; // a word
let calls = Promise.resolve();

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// -- the service ------------------------------------------------------------------------------------

class Refused extends Error {}

// One call after the other, so that no answer overtakes a later one. Throws `Refused` with the code, or what fetch throws.
function call(path, method = "GET", body = undefined) {
  const made = calls.then(async () => {
    const json = body !== undefined && !(body instanceof Blob);
    const answer = await fetch(config.api + path, {
      method,
      body: json ? JSON.stringify(body) : body,
      headers: json ? { "Content-Type": "application/json" } : {},
      cache: "no-store",
      signal: AbortSignal.timeout(CALL_MS),
    });
    const content = await answer.json();
    if (!answer.ok) throw new Refused(content.error?.split(":")[0] ?? String(answer.status));
    return content;
  });
  calls = made.catch(() => {});
  return made;
}

async function tell(path, body, method = "POST") {
  try {
    follow(await call(path, method, body));
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) say("away");
    return false;
  }
}

// The same again until the service has it, or the guest is somewhere else.
async function insist(path, body, goesOn) {
  for (;;) {
    try {
      const answer = await call(path, "POST", body);
      say("");
      return answer;
    } catch (error) {
      if (error instanceof Refused) throw error;
      say("away");
      await sleep(LOOK_MS);
      if (!goesOn()) throw new Refused("not_now");
    }
  }
}

async function look() {
  for (;;) {
    await sleep(LOOK_MS);
    try {
      follow(await call(""));
      if (get("problem").dataset.word === "away") say("");
    } catch (error) {
      if (!(error instanceof Refused)) say("away");
      if (performance.now() > ends + AWAY_MS) follow({ ...now, state: "ready", guest: "", taken: 0, seconds_left: null });
    }
    count();
    if (now.state === "ready" && language !== config.language && performance.now() - spoken > IDLE_MS) speak(config.language);
  }
}

// -- the guest's way --------------------------------------------------------------------------------

function follow(model) {
  ends = model.seconds_left === null ? Infinity : performance.now() + model.seconds_left * 1000;
  if (model.state !== now.state || model.guest !== now.guest) enter(model);
  now = model;
  if (model.state === "done") showDelivery(model);
}

function enter(model) {
  const before = now;
  now = model;
  if (model.state === "ready" || (before.guest && model.guest !== before.guest)) forget();
  document.body.dataset.state = model.state;
  say("");
  if (model.state === "ready") showGallery();
  if (model.state === "countdown" || (model.state === "pictures" && before.state !== "countdown")) shoot(model);
  if (["choice", "done", "preview"].includes(model.state)) showAnimation(model);
  if (model.state === "guest") form.name.focus();
  count();
}

// Nothing of one guest is left for the next.
function forget() {
  shoots += 1;
  stayed = 0;
  get("form").reset();
  keyboard.reset();
  get("form-problem").textContent = "";
  get("count").textContent = "";
  for (const image of document.querySelectorAll("main img")) image.removeAttribute("src");
  get("code").hidden = true;
  for (const id of ["code-text", "delivery"]) get(id).textContent = "";
  speak(config.language);
}

// Before the first answer the service knows better than the page.
function waits() {
  return ["", "ready"].includes(now.state);
}

async function start() {
  if (!waits()) return;
  if (await openCamera()) await tell("/start");
}

async function openCamera() {
  cameraProblem = "";
  try {
    await camera?.open();
  } catch (error) {
    cameraProblem = error.message in words ? error.message : "camera_failed";
  }
  say("");
  return !cameraProblem;
}

async function shoot({ guest, taken }) {
  const mine = ++shoots;
  const goesOn = () => mine === shoots && ["countdown", "pictures"].includes(now.state);
  if (taken === 0) {
    for (let left = config.countdown; left > 0 && goesOn(); left -= 1) {
      get("count").textContent = String(left);
      await sleep(1000);
    }
  }
  for (let position = taken; position < now.pictures && goesOn(); position += 1) {
    if (position > taken) await sleep(config.pace * 1000);
    if (!goesOn()) return;
    get("count").textContent = words.smile;
    flash();
    try {
      const picture = camera ? await camera.take() : undefined;
      follow(await insist(`/pictures?guest=${guest}&position=${position}`, picture, goesOn));
    } catch (error) {
      if (!goesOn()) return;
      const word = error instanceof Refused || !(error.message in words) ? "camera_failed" : error.message;
      await tell("/events", { guest, event: "cancel" });
      say(word);
      return;
    }
  }
}

async function send(event) {
  event.preventDefault();
  if (now.state !== "guest" || get("send").disabled) return;
  const { guest } = now;
  const said = { guest, name: form.name.value, email: form.email.value, consent: form.consent.checked, language };
  get("form-problem").textContent = "";
  get("send").disabled = true;
  try {
    follow(await insist("/guest", said, () => now.state === "guest" && now.guest === guest));
  } catch (error) {
    if (now.state === "guest") {
      get("form-problem").textContent = words[error.message === "bad_field" ? "bad_name" : error.message] ?? words.failed;
      (error.message === "bad_email" ? form.email : error.message === "no_consent" ? form.consent : form.name).focus();
    }
  } finally {
    get("send").disabled = false;
  }
}

// Whoever types needs time.
function stay() {
  if (now.state !== "guest" || performance.now() - stayed < STAY_MS) return;
  stayed = performance.now();
  tell("/events", { guest: now.guest, event: "stay" });
}

// -- what is shown ----------------------------------------------------------------------------------

function say(word) {
  const place = get("problem");
  place.dataset.word = word || (now.state === "ready" ? cameraProblem : "");
  place.textContent = words[place.dataset.word] ?? "";
}

function count() {
  const left = Math.max(0, Math.round((ends - performance.now()) / 1000));
  const shows = ["choice", "guest", "done"].includes(now.state) && left <= 30;
  get("leaving").textContent = shows ? words.leaving.replace("{seconds}", left) : "";
}

function showAnimation({ guest, state }) {
  const image = document.querySelector(`[data-in="${state}"] .animation`);
  image.alt = words.preview;
  image.src = `${config.api}/animation/${guest}`;
}

function showDelivery({ guest, code, delivery }) {
  const image = get("code");
  if (code && image.hidden) image.src = `${config.api}/code/${guest}`;
  image.hidden = !code;
  get("code-text").textContent = words[code ? "scan" : "no_link"];
  get("delivery").textContent = delivery === "stored" ? "" : words[delivery] ?? "";
}

async function showGallery() {
  if (!config.gallery) return;
  try {
    const { guests } = await call("/gallery");
    const images = guests.map((guest) => {
      const image = new Image();
      image.alt = "";
      image.src = `${config.api}/gallery/${guest}`;
      return image;
    });
    get("gallery").lastElementChild.replaceChildren(...images);
    get("gallery").hidden = !guests.length;
  } catch {
    get("gallery").hidden = true;
  }
}

function flash() {
  document.body.classList.remove("flash");
  requestAnimationFrame(() => document.body.classList.add("flash"));
}

function speak(chosen) {
  language = chosen;
  words = config.words[chosen];
  document.documentElement.lang = chosen;
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = words[place.dataset.word] ?? "";
  get("consent-text").textContent = config.consent || [words.consent, ...(config.gallery ? [words.shown] : [])].join(" ");
  for (const button of get("languages").children) {
    button.setAttribute("aria-pressed", String(button.lang === chosen));
  }
  keyboard.show(chosen, words);
  if (now.state === "done") showDelivery(now);
}

function begin() {
  const root = document.documentElement.style;
  for (const name of ["colour", "background"]) {
    root.setProperty(`--${name}`, config[name]);
    root.setProperty(`--on-${name}`, lettersOn(config[name]));
  }
  for (const name of Object.keys(config.words)) {
    const button = document.createElement("button");
    button.type = "button";
    button.lang = name;
    button.textContent = config.words[name].language;
    button.addEventListener("click", () => {
      spoken = performance.now();
      speak(name);
    });
    get("languages").append(button);
  }
  get("start").addEventListener("click", start);
  get("form").addEventListener("submit", send);
  get("form").addEventListener("input", stay);
  for (const button of document.querySelectorAll("[data-event]")) {
    button.addEventListener("click", () => tell("/events", { guest: now.guest, event: button.dataset.event }));
  }
  document.addEventListener("keydown", (event) => {
    const starts = ["Enter", " "].includes(event.key) && !event.repeat && !event.target.closest("button");
    if (starts && waits()) start();
  });
  document.addEventListener("contextmenu", (event) => event.preventDefault());
  keepAwake();
  offerFullScreen(get("full-screen"));
  speak(config.language);
  openCamera();
  tell("", undefined, "GET");
  look();
}

begin();
