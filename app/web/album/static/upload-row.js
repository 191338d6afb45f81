// The row of a file: that it was chosen, how far it is on its way, and what became of it.

import { LANGUAGE, tr } from "./words.js";

export function addRow(form, file) {
  const row = form.querySelector("template").content.firstElementChild.cloneNode(true);
  row.querySelector("b").textContent = file.name;
  row.querySelector("span").textContent = size(file.size);
  const button = row.querySelector("button");
  button.setAttribute("aria-label", `${button.title}: ${file.name}`);
  form.querySelector(".files").append(row);
  return row;
}

function size(bytes) {
  const [unit, length] = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  return new Intl.NumberFormat(LANGUAGE, { style: "unit", unit, maximumFractionDigits: length < 1e6 ? 0 : 1 }).format(bytes / length);
}

// It is sent from now on, and cannot be taken out any more.
export function begin(row, file) {
  row.querySelector("button").remove();
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", tr("Uploading {name}", { name: file.name }));
  row.querySelector("span").replaceWith(progress);
}

// Sends a form with the row's progress; status 0 is no answer.
export function post(address, body, row) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json"); // which needs no leave of another site
    request.upload.addEventListener("progress", (event) => (row.querySelector("progress").value = event.loaded / event.total));
    request.addEventListener("loadend", () => done({ status: request.status, text: request.responseText }));
    request.send(body);
  });
}

export function sentence(status, error) {
  if (!status) return tr("The connection was lost. Nothing was kept.");
  const text = (error ?? "").replace(/^[a-z_]+: /, "");
  return text ? text[0].toUpperCase() + text.slice(1) : tr("It was refused ({status}).", { status });
}

// The answer that refuses it; who is logged out is led to the login, and back.
export function refuse(row, form, status, error) {
  if (status === 401) finish(row, { refusal: tr("You are logged out. "), login: form.action });
  else finish(row, { refusal: sentence(status, error) });
}

// What became of it: its `page` in the album, a `refusal`, or what it is `waiting` for.
export function finish(row, { page, refusal, login, waiting }) {
  row.classList.toggle("is-done", Boolean(page));
  row.classList.toggle("is-bad", Boolean(refusal));
  row.querySelector("use").setAttribute("href", `#i-${page ? "check" : refusal ? "alert" : "upload"}`);
  const line = document.createElement("span");
  line.textContent = refusal ?? waiting ?? "";
  if (page || login) {
    const link = line.appendChild(document.createElement("a"));
    link.href = page ?? login;
    link.textContent = page ? tr("It is in the album") : tr("Log in");
  }
  row.querySelector("progress, span").replaceWith(line);
}
