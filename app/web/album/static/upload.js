// Uploads picture by picture with progress; on the grid, pictures may be dropped anywhere.

import { postToBucket } from "./bucket.js";
import { addRow, finish, post, refuse } from "./upload-row.js";

export function startUpload() {
  for (const form of document.querySelectorAll("form[data-upload]")) enhance(form);
  const sheet = document.getElementById("upload-sheet");
  if (sheet) {
    acceptDrops(sheet);
    document.querySelector('.top a[href$="/upload"]').addEventListener("click", (event) => {
      event.preventDefault();
      sheet.showPopover();
      sheet.querySelector("select, input").focus();
    });
  }
}

function enhance(form) {
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  form.querySelector("button").hidden = true; // choosing is enough
  const sendChosen = () => {
    send(form, [...input.files]);
    input.value = "";
  };
  input.addEventListener("change", sendChosen);
  if (input.files.length) sendChosen(); // chosen while this was still being loaded
  form.addEventListener("submit", (event) => event.preventDefault());
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
    if (!sheet.matches(":popover-open")) sheet.showPopover();
    send(sheet.querySelector("form"), [...event.dataTransfer.files]);
  });
}

async function send(form, files) {
  for (const [file, row] of files.map((file) => [file, addRow(form, file)])) {
    await (form.dataset.bucket ? postToBucket(form, file, row) : postToService(form, file, row));
  }
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
