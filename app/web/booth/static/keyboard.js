// The keyboard on the screen, laid out by language. A key goes on to other scripts, another one gives way to the
// tablet's own keyboard, which knows all others. A real one works beside it.

const ROWS = {
  en: ["qwertyuiop", "asdfghjkl'", "zxcvbnm"],
  de: ["qwertzuiopü", "asdfghjklöä", "yxcvbnmß"],
  es: ["qwertyuiop", "asdfghjklñ", "zxcvbnm", "áéíóúü"],
  fr: ["azertyuiop", "qsdfghjklm", "wxcvbn'", "éèêàçùï"],
};
const OTHER_SCRIPTS = [
  ["αβγδεζηθικλμ", "νξοπρστυφχψω", "άέήίόύώςϊϋ"],
  ["йцукенгшщзхъ", "фывапролджэ", "ячсмитьбюё", "іїєґў"],
  ["ضصثقفغعهخحج", "شسيبلاتنمكط", "ئءؤرىةوزظد", "أإآذ"],
  ["קראטוןםפ", "שדגכעיחלךף", "זסבהנמצתץ"],
];
const DIGITS = "1234567890";
const SIGNS = ["@", ".", "-", "_"];

export class Keyboard {
  // `fields`: the inputs it types into, the first one until another has the focus.
  constructor(place, fields) {
    this.place = place;
    this.fields = fields;
    this.field = fields[0];
    this.shifted = false;
    this.script = 0; // 0 is the language's own
    for (const field of fields) field.addEventListener("focus", () => (this.field = field));
    // Or the touch would take the focus, and the caret, away from the field.
    place.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  show(language, words) {
    this.shifted = false;
    this.own(false);
    const scripts = [ROWS[language], ...OTHER_SCRIPTS];
    const letters = scripts[this.script].map((row) => [...row].map((sign) => this.key(sign, sign)));
    const erase = this.key(words.erase, null, () => this.erase());
    const shift = this.key(words.shift, null, () => this.shift(!this.shifted));
    shift.setAttribute("aria-pressed", "false");
    this.shiftKey = shift;
    const next = (this.script + 1) % scripts.length;
    const other = this.key([...scripts[next][0]].slice(0, 3).join(""), null, () => {
      this.script = next;
      this.show(language, words);
    });
    other.setAttribute("aria-label", words.letters);
    other.id = "other-letters";
    const own = this.key("⌨", null, () => this.own(true));
    own.setAttribute("aria-label", words.keyboard);
    own.id = "own-keyboard";
    const signs = SIGNS.map((sign) => this.key(sign, sign));
    const last = [shift, other, own, ...signs, this.key(words.space, " "), erase];
    const rows = [[...DIGITS].map((sign) => this.key(sign, sign)), ...letters, last];
    this.place.replaceChildren(...rows.map((keys) => row(keys)));
  }

  // For the next guest.
  reset() {
    this.script = 0;
    this.field = this.fields[0];
  }

  // Have the tablet show its own keyboard in place of this one.
  own(wanted) {
    this.place.hidden = wanted;
    for (const field of this.fields) field.inputMode = wanted ? "text" : "none";
    if (!wanted) return;
    this.field.blur(); // or the tablet would not look again
    this.field.focus();
  }

  key(text, sign, act = () => this.type(sign)) {
    const key = document.createElement("button");
    key.type = "button";
    key.textContent = text;
    if (sign) key.dataset.sign = sign;
    else key.className = "wide";
    if (sign === " ") key.className = "space";
    key.addEventListener("click", act);
    return key;
  }

  type(sign) {
    const typed = this.shifted ? upper(sign) : sign;
    const { selectionStart, selectionEnd, value, maxLength } = this.field;
    if (value.length - (selectionEnd - selectionStart) + typed.length > maxLength) return;
    this.put(typed, selectionStart, selectionEnd);
    if (this.shifted) this.shift(false);
  }

  erase() {
    const { selectionStart, selectionEnd, value } = this.field;
    const before = value.slice(0, selectionStart);
    const from = selectionStart === selectionEnd ? before.length - ([...before].at(-1)?.length ?? 0) : selectionStart;
    this.put("", from, selectionEnd);
  }

  put(text, from, to) {
    this.field.focus();
    this.field.setRangeText(text, from, to, "end");
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  shift(on) {
    this.shifted = on;
    this.shiftKey.setAttribute("aria-pressed", String(on));
    for (const key of this.place.querySelectorAll("[data-sign]:not(.space)")) {
      key.textContent = on ? upper(key.dataset.sign) : key.dataset.sign;
    }
  }
}

function upper(sign) {
  return sign === "ß" ? "ẞ" : sign.toUpperCase();
}

function row(keys) {
  const row = document.createElement("div");
  row.append(...keys);
  return row;
}
