// Uploads picture by picture with progress, once "Upload" is pressed; on the grid, pictures may be dropped anywhere.

import { postToBucket } from "./bucket.js";
import { addRow, begin, finish, post, refuse } from "./upload-row.js";

export function startUpload() {
  for (const form of document.querySelectorAll("form[data-upload]")) enhance(form);
  const sheet = document.getElementById("upload-sheet");
  if (sheet) {
    acceptDrops(sheet);
    document.querySelector("[data-upload-link]")?.addEventListener("click", (event) => {
      event.preventDefault();
      show(sheet);
      sheet.querySelector("select, input").focus();
    });
  }
}

// For the camera that the grid shows just now, where it shows one.
function show(sheet) {
  const camera = new URLSearchParams(location.search).get("camera");
  const options = [...sheet.querySelectorAll("select[name=camera] option")];
  const shown = options.find((option) => option.value === camera);
  if (shown && !chosenIn(sheet.querySelector("form")).length) shown.selected = true;
  sheet.showPopover();
}

const chosen = new Map(); // row -> the file that it stands for, until it is sent

function chosenIn(form) {
  return [...chosen].filter(([row]) => form.contains(row));
}

function enhance(form) {
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  input.required = false; // what was chosen stands in the list
  const list = () => {
    choose(form, [...input.files]);
    input.value = "";
  };
  input.addEventListener("change", list);
  list(); // what was chosen while this was still being loaded
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  for (const [kind, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
    drop.addEventListener(kind, () => drop.classList.toggle("is-over", over));
  }
}

function acceptDrops(sheet) {
  const veil = document.getElementById("drop-veil");
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = sheet.contains(event.target);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  addEventListener("drop", (event) => {
    veil.hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (!sheet.matches(":popover-open")) show(sheet);
    choose(sheet.querySelector("form"), [...event.dataTransfer.files]);
  });
}

function choose(form, files) {
  const isSame = (one, other) => one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
  for (const file of files) {
    if (chosenIn(form).some(([, other]) => isSame(file, other))) continue;
    const row = addRow(form, file);
    if (file.size > Number(form.dataset.most)) finish(row, { refusal: form.dataset.tooLarge });
    else chosen.set(row, file);
    row.querySelector("button").addEventListener("click", () => {
      chosen.delete(row);
      row.remove();
      count(form);
      form.querySelector("input[type=file]").focus();
    });
  }
  count(form);
}

function count(form) {
  const number = chosenIn(form).length;
  const button = form.querySelector("[data-send]");
  button.disabled = !number || "sending" in form.dataset;
  button.querySelector("small").textContent = number || "";
}

async function send(form) {
  if ("sending" in form.dataset) return;
  form.dataset.sending = "";
  for (const [row, file] of chosenIn(form)) {
    if (!chosen.delete(row)) continue; // taken out while others were on their way
    begin(row, file);
    count(form);
    await (form.dataset.bucket ? postToBucket(form, file, row) : postToService(form, file, row));
  }
  delete form.dataset.sending;
  count(form);
}

async function postToService(form, file, row) {
  const body = new FormData();
  body.append("image", file, file.name);
  for (const name of ["camera", "note"]) if (form.elements[name].value) body.append(name, form.elements[name].value);
  const { status, text } = await post(form.dataset.upload, body, row);
  const answer = parsed(text);
  if (status >= 200 && status < 300) finish(row, { page: form.dataset.page + answer.event_id });
  else refuse(row, form, status, answer.error);
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // a proxy's own page
  }
}
