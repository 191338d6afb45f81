// Shows messages that come while the album is not open. It keeps no pages: the album is always the current one.

const album = self.registration.scope;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const { title, body, tag, time, url, thumbnail, snooze } = event.data.json();
  event.waitUntil(
    self.registration.showNotification(title, {
      body,
      tag, // the same event again takes the place of the first
      timestamp: time,
      icon: new URL("static/latest/icons/icon-192.png", album).href,
      ...(thumbnail && { image: thumbnail }),
      data: { url: url || `snapshots/${tag}`, snooze },
      actions: snooze ? [{ action: "snooze", title: "Snooze" }] : [],
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url, snooze } = event.notification.data;
  event.waitUntil(open(new URL(event.action === "snooze" ? snooze : url, album)));
});

// The push service gave this browser another address: the album has to know it.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(moved(event.oldSubscription, event.newSubscription));
});

async function open(address) {
  if (address.origin !== location.origin) return; // messages lead into the album and nowhere else
  const windows = await self.clients.matchAll({ type: "window" });
  const there = windows.find((client) => client.url === address.href);
  await (there ? there.focus() : self.clients.openWindow(address.href));
}

async function moved(old, current) {
  const fresh = current ?? (await self.registration.pushManager.subscribe(old.options));
  const headers = { "Content-Type": "application/json" };
  const subscriptions = new URL("api/push/subscriptions", album);
  await fetch(subscriptions, { method: "POST", headers, body: JSON.stringify({ ...fresh.toJSON(), replaces: old?.endpoint ?? "" }) });
}
