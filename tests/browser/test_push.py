"""Messages on a device: allowed in the album, encrypted by the service, shown by the browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenVisit, on_a_desktop, on_a_phone
from tests.browser.house import house
from tests.browser.seeds import ordinary_days
from tests.browser.visit import Screen
from tests.e2e.process import ServiceProcess, until
from tests.fakes.browser import FakeBrowser
from tests.fakes.http_double import HttpDouble, http_double

SUBSCRIBING = """
(() => {
  // This browser has no push service that it could reach; the rest of it is real.
  const { endpoint, keys } = %s;
  const kept = "subscribed";
  const made = () => ({
    endpoint,
    toJSON: () => ({ endpoint, expirationTime: null, keys }),
    unsubscribe: async () => localStorage.removeItem(kept) ?? true,
  });
  PushManager.prototype.getSubscription = async () => (localStorage.getItem(kept) ? made() : null);
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || applicationServerKey.length !== 65) throw new Error("no such key");
    localStorage.setItem(kept, "1");
    return made();
  };
})();
"""

WATCH = """() => {
  // Chromium without windows shows no notifications: they are kept here, one of each tag as a browser does it.
  self.shown = new Map();
  self.registration.showNotification = async (title, options) => self.shown.set(options.tag, { title, ...options });
}"""

CLICK = """async ([tag, action]) => {
  const opened = [];
  self.clients.openWindow = async (address) => opened.push(address);
  const event = new ExtendableEvent("notificationclick");
  const notification = { ...self.shown.get(tag), close: () => self.shown.delete(tag) };
  const done = new Promise((resolve) => {
    Object.assign(event, { notification, action });
    event.waitUntil = resolve;
  });
  self.dispatchEvent(event);
  await done;
  return opened;
}"""


@pytest.fixture(scope="module")
def push_service() -> Iterator[HttpDouble]:
    with http_double() as double:
        double.answer = lambda _: 201
        yield double


@pytest.fixture(scope="module")
def pushing(push_service: HttpDouble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A house that sends messages to browsers."""
    settings = {
        "KIND": "webpush",
        "NAME": "push",
        "SUBJECT": "mailto:ann@home.example",
        "ALLOW_PRIVATE": "true",
    }
    environment = {f"PUBLISHER_1_{name}": value for name, value in settings.items()}
    with house(tmp_path_factory.mktemp("pushing"), ordinary_days(1), environment) as service:
        yield service


class Device:
    """The worker of a browser: what it is sent and what it shows."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        (self._worker,) = page.context.service_workers
        self._worker.evaluate(WATCH)

    def deliver(self, message: Any) -> None:
        """What a push service does with a message, once the browser has decrypted it."""
        session = self._page.context.new_cdp_session(self._page)
        found: list[dict[str, Any]] = []
        session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
        session.send("ServiceWorker.enable")
        while not found:
            self._page.wait_for_timeout(20)  # in which events come
        to = {"origin": self._page.evaluate("location.origin"), "registrationId": found[-1]["registrationId"]}
        session.send("ServiceWorker.deliverPushMessage", {**to, "data": json.dumps(message)})
        until(lambda: message["tag"] in self.shown, timeout=30, what="it is shown")

    @property
    def shown(self) -> dict[str, Any]:
        """What is on the screen, by its tag."""
        found: dict[str, Any] = self._worker.evaluate("() => Object.fromEntries(self.shown)")
        return found

    def click(self, tag: str, action: str = "") -> list[str]:
        """Which addresses a click on a message, or on a button of it, opens."""
        opened: list[str] = self._worker.evaluate(CLICK, [tag, action])
        assert tag not in self.shown
        return opened


@on_a_phone
def test_a_device_gets_messages_shows_each_once_and_leaves(
    visit: OpenVisit, pushing: ServiceProcess, push_service: HttpDouble, screen: Screen
) -> None:
    browser = FakeBrowser(f"{push_service.url}/{screen}")
    one = browser.subscriber
    subscription = {"endpoint": one.endpoint, "keys": {"p256dh": one.p256dh, "auth": one.auth}}
    looking = visit(pushing, screen=screen, permissions=["notifications"])
    looking.context.add_init_script(SUBSCRIBING % json.dumps(subscription))
    page = looking.go("/status")
    page.get_by_label("Whose device is it?").fill("Ann")
    page.get_by_role("button", name="Notify me on this device").click()
    expect(page.get_by_text("This device gets messages.")).to_be_visible()

    pushing.http("POST", "/api/cameras/garden/trigger?wait=60")
    until(lambda: [seen for seen in push_service.seen if seen.path == f"/{screen}"], timeout=60, what="it is told")
    message = browser.read(next(seen.body for seen in push_service.seen if seen.path == f"/{screen}"))
    assert message["title"] == "Picture of Garden"

    device = Device(page)
    for _ in range(2):
        device.deliver(message)
    (shown,) = device.shown.values()
    assert (shown["title"], shown["body"], shown["tag"]) == (message["title"], message["body"], message["tag"])
    assert looking.context.request.get(shown["icon"]).headers["content-type"] == "image/png"

    page.reload()
    page.get_by_role("button", name="Stop messages on this device").click()
    expect(page.get_by_role("button", name="Notify me on this device")).to_be_visible()
    push_service.seen.clear()
    pushing.http("POST", "/api/cameras/garden/trigger?wait=60")
    assert push_service.seen == []


def test_a_click_on_a_message_opens_the_event_and_leads_nowhere_else(visit: OpenVisit, pushing: ServiceProcess) -> None:
    looking = visit(pushing, permissions=["notifications"])
    device = Device(looking.go("/status"))
    message = {"title": "Person at Garden", "body": "", "tag": "a" * 32, "time": 0, "url": "", "thumbnail": ""}
    device.deliver({**message, "snooze": f"{looking.url}/snooze?x=1"})
    assert [action["title"] for action in device.shown["a" * 32]["actions"]] == ["Snooze"]
    assert device.click("a" * 32, "snooze") == [f"{looking.url}/snooze?x=1"]
    device.deliver({**message, "snooze": ""})
    assert device.shown["a" * 32]["actions"] == []
    assert device.click("a" * 32) == [f"{looking.url}/snapshots/{'a' * 32}"]
    device.deliver({**message, "url": "https://elsewhere.example/", "snooze": ""})
    assert device.click("a" * 32) == []


@on_a_desktop
def test_without_https_it_says_why_there_are_no_messages(
    visit: OpenVisit, pushing: ServiceProcess, screen: Screen, tmp_path: Path
) -> None:
    looking = visit(pushing, screen=screen)
    looking.context.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page = looking.go("/status")
    expect(page.get_by_text("Browsers take messages from addresses with https only.")).to_be_visible()
    expect(page.get_by_role("button", name="Notify me on this device")).to_be_hidden()
