// Whether the service answers. When it does not, the page says so; when it does again, the page goes on by itself.

const RETRY_MS = 2000;

let asking = null;
let leaving = false;

/** Something failed: find out whether the service is there. "album:back" tells of its return. */
export function suspect() {
  if (!leaving) asking ??= wait().finally(() => (asking = null));
}

export function startConnection() {
  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", () => (leaving = false));
  addEventListener("offline", suspect);
  document.addEventListener("htmx:error", suspect);
  document.addEventListener("htmx:response:error", (event) => event.detail.ctx.response.status >= 502 && suspect());
  // What was to come by itself is asked for again: the browser gave it up.
  document.addEventListener("album:back", () => {
    for (const element of document.querySelectorAll("[data-ask-again]")) window.htmx?.trigger(element, "again");
  });
}

async function wait() {
  const banner = document.getElementById("away");
  let away = false;
  while (!leaving && !(await answers())) {
    away = true;
    banner.hidden = false;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  banner.hidden = true;
  if (away) document.dispatchEvent(new CustomEvent("album:back"));
}

async function answers() {
  try {
    // Everybody may ask for this, also when a login has ended; a proxy in front answers in its own way.
    const answer = await fetch(`${document.body.dataset.home}manifest.webmanifest`, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    return answer.ok;
  } catch {
    return false;
  }
}
