// The row of a file that is uploaded: how far it is, and what became of it.

export function addRow(form, file) {
  const row = document.createElement("li");
  row.className = "file";
  row.innerHTML = '<svg class="icon" aria-hidden="true"><use href="#i-upload"/></svg><div><b></b><progress max="1" value="0"></progress></div>';
  row.querySelector("b").textContent = file.name;
  row.querySelector("progress").setAttribute("aria-label", `Uploading ${file.name}`);
  form.querySelector(".files").append(row);
  return row;
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
  if (!status) return "The connection was lost. Nothing was kept.";
  const text = (error ?? "").replace(/^[a-z_]+: /, "");
  return text ? text[0].toUpperCase() + text.slice(1) : `It was refused (${status}).`;
}

// What became of it: its `page` in the album, a `refusal`, or what it is `waiting` for.
export function finish(row, { page, refusal, waiting }) {
  row.classList.toggle("is-done", Boolean(page));
  row.classList.toggle("is-bad", Boolean(refusal));
  row.querySelector("use").setAttribute("href", `#i-${page ? "check" : refusal ? "alert" : "upload"}`);
  const line = document.createElement("span");
  if (page) {
    const link = line.appendChild(document.createElement("a"));
    link.href = page;
    link.textContent = "It is in the album";
  } else {
    line.textContent = refusal ?? waiting;
  }
  row.querySelector("progress, span").replaceWith(line);
}
