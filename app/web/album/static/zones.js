// Draws zones and masks over a camera's last picture, and saves them over the API.

import { tr } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 0.01;
const MOST = 50;

export function startZones() {
  const section = document.querySelector("[data-zones]");
  if (section) new Zones(section);
}

class Zones {
  constructor(section) {
    this.section = section;
    this.picture = section.querySelector(".zone-picture");
    this.svg = this.picture.querySelector("svg");
    this.form = section.querySelector(".zone-form");
    this.problem = this.form.querySelector("[role=alert]");
    this.points = [];
    this.before = []; // for undo
    section.querySelector("[data-zone-new]").addEventListener("click", () => this.open(null));
    for (const button of section.querySelectorAll("[data-zone-edit]")) {
      button.addEventListener("click", () => this.open(this.polygon(button.dataset.zoneEdit)));
    }
    this.on("[data-corner-add]", () => this.add());
    this.on("[data-corner-undo]", () => this.undo());
    this.on("[data-zone-cancel]", () => this.close());
    this.on("[data-zone-delete]", () => this.send("DELETE"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send("PUT");
    });
    this.picture.addEventListener("click", (event) => {
      if (!this.form.hidden && !event.target.closest(".corner")) this.change([...this.points, this.place(event)]);
    });
  }

  on(selector, act) {
    this.form.querySelector(selector).addEventListener("click", act);
  }

  polygon(name) {
    return [...this.svg.querySelectorAll("[data-zone]")].find((polygon) => polygon.dataset.zone === name) ?? null;
  }

  /** Begin with a zone that is there, or (null) with a new one. */
  open(polygon) {
    this.close();
    this.old = polygon;
    this.points = polygon ? corners(polygon) : [];
    this.drawn = this.svg.appendChild(document.createElementNS(SVG, "polygon"));
    this.drawn.classList.add("zone", "is-drawn");
    polygon?.setAttribute("visibility", "hidden");
    this.form.hidden = false;
    this.form.elements.name.value = polygon?.dataset.zone ?? "";
    this.form.elements.mask.checked = polygon?.classList.contains("is-mask") ?? false;
    this.form.elements.private.checked = polygon?.classList.contains("is-private") ?? false;
    this.form.querySelector("[data-zone-delete]").hidden = !polygon;
    this.picture.classList.add("is-drawing");
    this.draw();
    this.picture.scrollIntoView({ block: "nearest" });
    (this.corners()[0] ?? this.form.querySelector("[data-corner-add]")).focus({ preventScroll: true });
  }

  close() {
    this.drawn?.remove();
    this.drawn = null;
    this.old?.removeAttribute("visibility");
    this.corners().forEach((corner) => corner.remove());
    this.before = [];
    this.form.hidden = true;
    this.picture.classList.remove("is-drawing");
    this.say("");
  }

  /** Other corners; what was before can be had again. */
  change(points) {
    if (points.length > MOST) return;
    this.before.push(this.points);
    this.points = points;
    this.draw();
  }

  undo() {
    if (!this.before.length) return;
    this.points = this.before.pop();
    this.draw();
  }

  /** A corner in the middle of the last edge, for those who do not point. */
  add() {
    const [first, last] = [this.points[0], this.points.at(-1)];
    const starts = [[0.3, 0.3], [0.7, 0.3], [0.7, 0.7]];
    const corner = this.points.length < 3 ? starts[this.points.length] : [(first[0] + last[0]) / 2, (first[1] + last[1]) / 2];
    this.change([...this.points, corner]);
    this.corners().at(-1).focus();
  }

  draw() {
    this.drawn.setAttribute("points", this.points.map((point) => point.join(",")).join(" "));
    const there = this.corners();
    this.points.forEach((point, number) => {
      const corner = there[number] ?? this.corner(number);
      corner.style.left = `${point[0] * 100}%`;
      corner.style.top = `${point[1] * 100}%`;
    });
    there.slice(this.points.length).forEach((corner) => corner.remove());
  }

  corners() {
    return [...this.picture.querySelectorAll(".corner")];
  }

  corner(number) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "corner";
    button.setAttribute("aria-label", tr("Corner {number}", { number: number + 1 }));
    button.setAttribute("aria-describedby", "zone-help");
    button.addEventListener("keydown", (event) => this.key(event, number));
    button.addEventListener("pointerdown", (event) => this.drag(event, number));
    return this.picture.appendChild(button);
  }

  key(event, number) {
    const step = event.shiftKey ? 5 * STEP : STEP;
    const [across, down] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [0, 0];
    if (across || down) {
      const [x, y] = this.points[number];
      this.change(this.points.with(number, [fraction(x + across), fraction(y + down)]));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.change(this.points.toSpliced(number, 1));
      (this.corners()[Math.max(0, number - 1)] ?? this.form.querySelector("[data-corner-add]")).focus();
    } else return;
    event.preventDefault();
  }

  drag(event, number) {
    const corner = event.currentTarget;
    const from = this.points;
    corner.setPointerCapture(event.pointerId);
    corner.onpointermove = (moved) => {
      this.points = this.points.with(number, this.place(moved));
      this.draw();
    };
    corner.onlostpointercapture = () => {
      corner.onpointermove = corner.onlostpointercapture = null;
      if (this.points !== from) this.before.push(from);
    };
  }

  /** Where in the picture somebody points. */
  place({ clientX, clientY }) {
    const { left, top, width, height } = this.picture.getBoundingClientRect();
    return [fraction((clientX - left) / width), fraction((clientY - top) / height)];
  }

  async send(method) {
    const name = this.form.elements.name.value.trim();
    const old = this.old?.dataset.zone;
    if (method === "PUT" && this.points.length < 3) return this.say(tr("A zone has at least three corners."));
    if (method === "PUT" && name !== old && this.polygon(name)) return this.say(tr("There is one of this name already."));
    const { mask, private: hidden } = this.form.elements;
    const body = JSON.stringify({ name, points: this.points, mask: mask.checked, private: hidden.checked });
    try {
      const answer = await fetch(this.section.dataset.zones + encodeURIComponent(old ?? name), {
        method,
        ...(method === "PUT" && { headers: { "Content-Type": "application/json" }, body }),
      });
      if (answer.ok) return location.reload();
      const { error } = await answer.json();
      this.say(error.slice(error.indexOf(": ") + 2));
    } catch {
      this.say(tr("That did not work. Please try again."));
    }
  }

  say(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }
}

function corners(polygon) {
  return polygon.getAttribute("points").trim().split(/\s+/).map((point) => point.split(",").map(Number));
}

function fraction(value) {
  return Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));
}
