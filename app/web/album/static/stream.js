// The stream of new events that an open page follows.

import { suspect } from "./connection.js";

const LONG_AWAY_MS = 300_000;

/** Calls `arrived` with the data of each event called `name`, from the one behind `last` on. Returns what ends it. */
export function follow(path, name, { last = "", arrived, mayReload = () => true }) {
  const address = new URL(path, location.href);
  if (last) address.searchParams.set("last_event_id", last);
  let source = null;
  let left = 0;
  const ending = new AbortController();
  const { signal } = ending;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(address);
    source.addEventListener(name, (event) => {
      if (event.lastEventId) address.searchParams.set("last_event_id", event.lastEventId);
      arrived(event.data);
    });
    // The browser reconnects by itself unless the server refused, as when a session has ended.
    source.addEventListener("error", () => {
      if (signal.aborted) return;
      suspect();
      if (source?.readyState !== EventSource.CLOSED) return;
      close();
      setTimeout(() => signal.aborted || open(), 10_000);
    });
  };
  const close = () => {
    source?.close();
    source = null;
  };
  // A browser has six connections for a host: a hidden page leaves them to visible ones.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      left = Date.now();
      close();
    } else if (Date.now() - left > LONG_AWAY_MS && mayReload()) location.reload();
    else open();
  }, { signal });
  document.addEventListener("album:back", () => {
    close();
    open();
  }, { signal });
  addEventListener("pagehide", close, { signal });
  addEventListener("pageshow", (event) => event.persisted && open(), { signal });
  open();
  return () => {
    ending.abort();
    close();
  };
}
