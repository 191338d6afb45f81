// "Notify me on this device": asks the browser for leave, and has the album send messages to it.

import { say } from "./toast.js";
import { tr } from "./words.js";

const home = document.body.dataset.home;

export async function startPush() {
  const form = document.getElementById("push");
  if (!form) return;
  form.hidden = false;
  const missing = whatIsMissing();
  if (missing) {
    form.querySelector("[data-state]").textContent = missing;
    return;
  }
  const { pushManager } = await navigator.serviceWorker.register(`${home}service-worker.js`, { scope: home });
  const show = async () => showState(form, Boolean(await pushManager.getSubscription()));
  await show();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter;
    button.disabled = true;
    try {
      await (button.value === "on" ? subscribe(pushManager, form) : unsubscribe(pushManager));
    } catch (error) {
      say(error.message || tr("That did not work. Please try again."));
    }
    button.disabled = false;
    await show();
  });
}

function whatIsMissing() {
  if (!isSecureContext) return tr("Browsers take messages from addresses with https only.");
  if (!("serviceWorker" in navigator && "PushManager" in window)) {
    return tr("This browser takes no messages. On an iPhone or iPad, add the album to the home screen first.");
  }
  return "";
}

function showState(form, on) {
  form.querySelector("[data-state]").textContent = on ? tr("This device gets messages.") : tr("Also while the album is closed.");
  form.querySelector("[data-choices]").hidden = on;
  form.querySelector("[value=on]").hidden = on;
  form.querySelector("[value=off]").hidden = !on;
}

async function subscribe(pushManager, form) {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("This browser does not allow messages from the album.");
  const { key } = await ask("GET", "key");
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  const { person, outlet } = form.elements;
  try {
    await ask("POST", "subscriptions", { ...subscription.toJSON(), person: person.value, outlet: outlet.value });
  } catch (error) {
    await subscription.unsubscribe(); // else the browser would be sure of something that the album does not know
    throw error;
  }
}

async function unsubscribe(pushManager) {
  const subscription = await pushManager.getSubscription();
  if (!subscription) return;
  await ask("DELETE", "subscriptions", { endpoint: subscription.endpoint });
  await subscription.unsubscribe();
}

function bytes(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

async function ask(method, what, value) {
  const answer = await fetch(`${home}api/push/${what}`, {
    method,
    ...(value && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) }),
  });
  const content = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}
