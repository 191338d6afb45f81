// Waits until another process answers than the one that served this page, and goes on then.
const main = document.querySelector("[data-process]");

async function isAnew() {
  try {
    const answer = await fetch(main.dataset.ask, { cache: "no-store", headers: { Accept: "application/json" } });
    return answer.ok && (await answer.json()).process !== main.dataset.process;
  } catch {
    return false; // nobody answers just now
  }
}

async function wait() {
  if (!(await isAnew())) return setTimeout(wait, 250);
  if ("stay" in main.dataset) {
    document.getElementById("restarting").hidden = true;
    document.getElementById("running").hidden = false;
  } else {
    location.replace(main.dataset.next);
  }
}

wait();
