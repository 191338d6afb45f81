"""A whole evening at the photo booth: guests in Chromium, while the network is cut twice and the service killed twice.

    python -m tests.browser.evening 200

Each guest holds a sign with their number into the browser's drawn camera, so that animation, object, mail and link can
be told apart. Bucket and mail server are doubles behind lines that are cut.
"""

from __future__ import annotations

import csv
import io
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from PIL import Image, ImageSequence
from playwright.sync_api import Browser, Page, expect

from tests.aws import LOGIN, Aws
from tests.browser.chromium import chromium
from tests.browser.house import PASSWORD, wait_until_ready
from tests.browser.visit import PATIENCE_MS
from tests.e2e.process import ServiceProcess, until
from tests.simulators.line import Line
from tests.simulators.mailbox import Mailbox

BUCKET, EVENT = "evening", "Anna & Tom · Ä"
BITS = 10
"""Of the number on a sign."""
SIGN = """
const draw = OffscreenCanvasRenderingContext2D.prototype.drawImage;
OffscreenCanvasRenderingContext2D.prototype.drawImage = function (...given) {
  draw.apply(this, given);
  const { width, height } = this.canvas;
  for (let bit = 0; bit < BITS; bit += 1) {
    this.fillStyle = (window.sign >> bit) & 1 ? "#ffffff" : "#000000";
    this.fillRect((bit * width) / BITS, height / 3, width / BITS + 1, height / 3);
  }
};
""".replace("BITS", str(BITS))
NAMES = ("Ada {}", "ليلى {}", "נעמי {}", "张伟 {}", "Zoë & Čeněk 100% {}", "Ἀσπασία {}", "Ж" * 290 + " {}")


class Evening:
    """The booth, its doubles, and the tablet."""

    def __init__(self, home: Path, browser: Browser, aws: Aws, *, guests: int) -> None:
        self.guests = guests
        self.aws = aws
        self.again = 0
        """Guests who had to begin anew, since the service was killed."""
        self._open = ExitStack()
        self.mailbox = Mailbox()
        self.mailbox.start()
        self._open.callback(self.mailbox.stop)
        self.lines = [self._open.enter_context(Line(port)) for port in (int(aws.port), self.mailbox.port)]
        aws.bucket(BUCKET)
        (bucket, mail) = (line.port for line in self.lines)
        booth = {
            "enabled": True,
            "event": EVENT,
            "countdown": 1,
            "pace": 0.3,
            "size": 160,
            "gallery": True,
            "bucket": {"bucket": BUCKET, "endpoint_url": f"http://127.0.0.1:{bucket}", "path_style": True},
            "mail": {"host": "127.0.0.1", "port": mail, "tls": "off", "sender": "booth@example.org"},
        }
        config = {"booth": booth, "web": {"public_url": "http://booth.example", "password": PASSWORD}}
        self.service = self._open.enter_context(ServiceProcess(home, config=config, environment=LOGIN, forked=True))
        self.service.start()
        wait_until_ready(self.service)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True, permissions=["camera"])
        self._open.callback(context.close)
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.page.add_init_script(SIGN)
        token = self.service.command("token", "add", "tablet", "--booth").stdout.strip()
        self.page.goto(f"http://127.0.0.1:{self.service.port}/booth/enter#{token}")

    def __enter__(self) -> Evening:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, progress: Callable[[int], object] = lambda _guests: None) -> None:
        """All guests, one after the other; what is to go wrong does so at the same guests each time."""
        part = max(1, self.guests // 8)
        for number in range(self.guests):
            if number in (part, 5 * part):
                self.cut()
            if number in (2 * part, 6 * part):
                self.mend()
            kill = {3 * part: "guest", 7 * part: "done"}.get(number, "")
            while not self.attend(number, kill=kill):
                self.again += 1
                kill = ""
            progress(number + 1)
        self.mend()

    def cut(self) -> None:
        """The network is gone."""
        for line in self.lines:
            line.cut()

    def mend(self) -> None:
        """The network is back."""
        for line in self.lines:
            line.mend()

    def attend(self, number: int, *, kill: str = "") -> bool:
        """A guest; in the state `kill` the service is killed. False when they have to begin anew."""
        page = self.page
        self.state("ready")
        page.evaluate("number => { window.sign = number; }", number)
        page.locator("#start").click()
        self.state("choice")
        if number % 10 == 7:
            page.locator('[data-event="retake"]').click()
            self.state("countdown")
            self.state("choice")
        page.locator('[data-event="keep"]').click()
        self.state("guest")
        expect(page.locator("#guest-name")).to_have_value("")
        page.locator("#guest-name").fill(name_of(number))
        page.locator("#guest-email").fill(email_of(number))
        page.locator("#consent").check()
        if kill == "guest":
            self.kill()
            return False
        page.locator("#send").click()
        self.state("done")
        if kill == "done":
            self.kill()
            return True
        page.locator('[data-event="finish"]').click()
        self.state("preview")
        page.locator('[data-in="preview"] .animation').click()
        return True

    def kill(self) -> None:
        """As a power cut would end the service; it starts again at once."""
        self.service.kill()
        self.service.start()
        wait_until_ready(self.service)

    def state(self, state: str) -> None:
        """Wait until the page is there."""
        expect(self.page.locator("body")).to_have_attribute("data-state", state)

    def sent(self, *, within: float, hurry: bool = False) -> None:
        """Wait until everything has been sent; `hurry`: press "Try again now" for all that waits for the network."""

        def done() -> bool:
            waiting = [job for job in self._host("GET", "/api/jobs").json()["jobs"] if job["state"] != "done"]
            for job in waiting if hurry else ():
                self._host("POST", f"/api/jobs/{job['id']}/retry")
            return not waiting

        until(done, timeout=within, what="all is stored and mailed")

    def account(self) -> None:
        """Fails unless each guest has one object and one mail, all of which are theirs."""
        s3 = self.aws.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        objects = {key: s3.get_object(Bucket=BUCKET, Key=key) for key in keys}
        assert Counter(found["Metadata"]["email"] for found in objects.values()) == self._once()
        assert Counter(mail["to"] for mail in self.mailbox.mails) == self._once()
        contents = {key: found["Body"].read() for key, found in objects.items()}
        for key, found in objects.items():
            metadata = {name: unquote(value) for name, value in found["Metadata"].items()}
            number = number_of(metadata["email"])
            assert signs(contents[key]) == {number}, key
            assert name_of(number).startswith(metadata["name"])
            assert (metadata["event"], metadata["snapshot-processor"]) == (EVENT, "booth")
        for mail in self.mailbox.mails:
            self._account_for(mail, contents, objects)
        rows = list(csv.DictReader(io.StringIO(self._exported())))
        assert {(row["name"], row["email"], row["state"]) for row in rows} == {
            (name_of(number), email_of(number), "done") for number in range(self.guests)
        }
        assert len(rows) == self.guests

    def _account_for(self, mail: EmailMessage, contents: dict[str, bytes], objects: dict[str, dict]) -> None:  # type: ignore[type-arg]
        text = mail.get_content()
        links = [line for line in text.splitlines() if line.startswith("http://127.0.0.1")]
        (link,) = links
        key = unquote(urlsplit(link).path).removeprefix(f"/{BUCKET}/")
        assert objects[key]["Metadata"]["email"] == mail["to"]
        assert f"Hello {name_of(number_of(mail['to']))}," in text
        guest = mail["message-id"].strip("<>").partition("@")[0]
        assert guest in key
        assert f"http://booth.example/booth/guests/{guest}?" in text
        assert requests.get(link, timeout=20).content == contents[key]

    def _exported(self) -> str:
        return self._host("GET", "/api/booth/guests.csv").content.decode("utf-8-sig")

    def _host(self, method: str, path: str) -> requests.Response:
        return self.service.http(method, path, auth=("host", PASSWORD))

    def _once(self) -> Counter[str]:
        return Counter(email_of(number) for number in range(self.guests))


def name_of(number: int) -> str:
    """A guest's, of many scripts and lengths."""
    return NAMES[number % len(NAMES)].format(number)


def email_of(number: int) -> str:
    return f"guest{number}@example.org"


def number_of(email: str) -> int:
    return int(email.partition("@")[0].removeprefix("guest"))


def signs(gif: bytes) -> set[int]:
    """The numbers on the signs of an animation's pictures."""
    with Image.open(io.BytesIO(gif)) as image:
        return {_sign(frame.convert("L")) for frame in ImageSequence.Iterator(image)}


def _sign(frame: Image.Image) -> int:
    middles = (((2 * bit + 1) * frame.width // (2 * BITS), frame.height // 2) for bit in range(BITS))
    white = [int(frame.getpixel(at)) > 127 for at in middles]  # type: ignore[arg-type]
    return sum(1 << bit for bit, is_set in enumerate(white) if is_set)


def main(guests: int) -> None:
    """Print the figures of one evening."""
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        Evening(Path(folder), browser, Aws(), guests=guests) as evening,
    ):
        evening.run(lambda done: sys.stderr.write(f"\r{done} guests"))
        last = time.monotonic()
        evening.sent(within=600)
        evening.account()
        print(
            f"{guests} guests in {last - begun:.0f} s, {evening.again} of them had to begin anew; network cut twice, "
            f"service killed twice; {len(evening.mailbox.mails)} mails, all sent {time.monotonic() - last:.0f} s after "
            "the last guest; each guest's number, name, address, object, link and mail belong together"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))
