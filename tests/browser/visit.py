"""A browser's window that a person looks through, and everything that it complains of."""

from __future__ import annotations

import re
import time
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebError, expect

Screen = Literal["desktop", "phone"]

SCREENS: dict[Screen, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}

PATIENCE_MS = 60_000
"""For what happens in an instant on a machine that has nothing else to do."""

expect.set_options(timeout=PATIENCE_MS)


def wait_until(page: Page, predicate: str, argument: object = None) -> None:
    """Return when a JavaScript expression or function holds in the page; fails when it does not in `PATIENCE_MS`.

    Asked again and again from here: Playwright's own `wait_for_function` asks in the page, under the page's content
    policy, which forbids what is made from a string.
    """
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(predicate, argument):
        assert time.monotonic() < deadline, f"it never came to that: {predicate}"
        page.wait_for_timeout(50)


class Visit:
    """One person with a browser of their own: a page, and what went wrong in it unnoticed by them.

    `close` fails on any error on the console (a blocked script, a missing picture), any exception in a script
    and any question to another host, unless the test named it.
    """

    def __init__(self, browser: Browser, url: str, *, screen: Screen, **options: Any) -> None:
        """`url`: the album's, without a slash at its end; `options`: what Playwright takes for a context."""
        self.url = url
        self.screen = screen
        self.context: BrowserContext = browser.new_context(
            **{**SCREENS[screen], "timezone_id": "Europe/Berlin", "locale": "en-GB", **options}
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self._host = urlsplit(url).netloc
        self._complaints: list[str] = []
        self._expected: list[str] = []
        self._tolerated: list[str] = []
        self.context.on("console", self._on_console)
        self.context.on("weberror", self._on_error)
        self.context.on("request", self._on_request)
        self.page: Page = self.context.new_page()

    def leave(self) -> None:
        """Forget all but what was loaded, for somebody else who comes next. Raises what `close` raises."""
        if self.page.url.startswith(self.url):
            self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        for other in self.context.pages:
            if other is not self.page:
                other.close()
        self.page.unroute_all()
        self.page.set_viewport_size(SCREENS[self.screen]["viewport"])
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        self.page.mouse.move(0, 0)
        # Of the same site, since for another one the browser begins a process that has loaded nothing; it does nothing.
        self.go("/manifest.webmanifest")
        self.context.clear_cookies()  # behind the pages, which may still ask for pictures
        self._account_for_complaints()

    def go(self, path: str = "/") -> Page:
        """Open a page of the album and wait for it."""
        self.page.goto(self.url + path)
        return self.page

    def expect_complaint(self, pattern: str) -> None:
        """What matches this regular expression is no fault, and has to come."""
        self._expected.append(pattern)

    def tolerate(self, pattern: str) -> None:
        """What matches this regular expression is no fault, and may come."""
        self._tolerated.append(pattern)

    @property
    def path(self) -> str:
        """Where the person is: path and query below the album's address."""
        return self.page.url.removeprefix(self.url)

    def close(self) -> None:
        """Close the window. Raises AssertionError with everything that was complained of."""
        self.context.close()
        self._account_for_complaints()

    def _account_for_complaints(self) -> None:
        known = [*self._expected, *self._tolerated]
        unexpected = [line for line in self._complaints if not any(re.search(p, line) for p in known)]
        missed = [p for p in self._expected if not any(re.search(p, line) for line in self._complaints)]
        for lines in (self._complaints, self._expected, self._tolerated):
            lines.clear()
        assert not unexpected, "the browser complained:\n" + "\n".join(unexpected)
        assert not missed, f"the browser should have complained: {missed}"

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self._complaints.append(f"exception: {error.error}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != self._host:
            self._complaints.append(f"another host was asked: {request.url}")
