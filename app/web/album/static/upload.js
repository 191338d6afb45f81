// Uploads picture by picture with progress; on the grid, pictures may be dropped anywhere.

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
    await new Promise((done) => post(form, file, row, done));
  }
}

function post(form, file, row, done) {
  const body = new FormData();
  body.append("image", file, file.name);
  for (const name of ["camera", "note"]) if (form.elements[name].value) body.append(name, form.elements[name].value);
  const request = new XMLHttpRequest();
  request.open("POST", form.dataset.upload);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => (row.querySelector("progress").value = event.loaded / event.total));
  request.addEventListener("loadend", () => {
    const answer = request.response ?? {};
    if (request.status >= 200 && request.status < 300) finish(row, "check", "is-done", null, form.dataset.page + answer.event_id);
    else finish(row, "alert", "is-bad", sentence(request.status, answer.error));
    done();
  });
  request.send(body);
}

function sentence(status, error) {
  if (!status) return "The connection was lost. Nothing was kept.";
  const text = (error ?? "").replace(/^[a-z_]+: /, "");
  return text ? text[0].toUpperCase() + text.slice(1) : `It was refused (${status}).`;
}

function addRow(form, file) {
  const row = document.createElement("li");
  row.className = "file";
  row.innerHTML = '<svg class="icon" aria-hidden="true"><use href="#i-upload"/></svg><div><b></b><progress max="1" value="0"></progress></div>';
  row.querySelector("b").textContent = file.name;
  row.querySelector("progress").setAttribute("aria-label", `Uploading ${file.name}`);
  form.querySelector(".files").append(row);
  return row;
}

function finish(row, icon, kind, text, address) {
  row.classList.add(kind);
  row.querySelector("use").setAttribute("href", `#i-${icon}`);
  const line = document.createElement("span");
  if (address) {
    const link = line.appendChild(document.createElement("a"));
    link.href = address;
    link.textContent = "It is in the album";
  } else {
    line.textContent = text;
  }
  row.querySelector("progress").replaceWith(line);
}
