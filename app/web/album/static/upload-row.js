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

// The answer that refuses it; who is logged out is led to the login, and back.
export function refuse(row, form, status, error) {
  if (status === 401) finish(row, { refusal: "You are logged out. ", login: form.action });
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
    link.textContent = page ? "It is in the album" : "Log in";
  }
  row.querySelector("progress, span").replaceWith(line);
}
