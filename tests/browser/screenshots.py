"""The documentation's pictures of the album, made from the real pages: `python -m tests.browser.screenshots FOLDER`."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.browser.house import house, wait_until_ready
from tests.browser.seeds import oddities, ordinary_days, seed_id, today
from tests.browser.visit import Visit, wait_until
from tests.e2e.process import ServiceProcess, until

LARGEST = 150_000
"""Bytes that a picture may have."""

SHOTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("album", "/", {"screen": "desktop", "color_scheme": "light"}),
    ("album-phone", "/", {"screen": "phone", "color_scheme": "dark"}),
    ("album-picture", f"/snapshots/{seed_id('bicycle')}?boxes=1", {"screen": "desktop", "color_scheme": "dark"}),
    ("album-status", "/status", {"screen": "desktop", "color_scheme": "light"}),
)
"""Name, page and window of each, with a past of many days."""

DEMO_PICTURES = 30
"""Pictures that `make demo` has taken when it is shown."""


def main(folder: Path) -> None:
    """Write them all into this folder."""
    os.environ["TZ"] = "Europe/Berlin"  # the clock that is drawn into the pictures
    time.tzset()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        house(Path(home), [*ordinary_days(), *oddities(), *today()]) as service,
        chromium() as browser,
    ):
        for name, path, window in SHOTS:
            write(folder / f"{name}.webp", shot(browser, f"http://127.0.0.1:{service.port}", path, window))
        write(folder / "album-demo.webp", demo(browser, Path(home) / "demo"))


def demo(browser: Browser, home: Path) -> bytes:
    """The album of `make demo` after a minute."""
    with ServiceProcess(home, environment={"DETECTOR_KIND": "hog", "TIME_ZONE": "Europe/Berlin"}) as service:
        service.start("demo")
        wait_until_ready(service)
        until(
            lambda: len(service.http("GET", "/api/snapshots?limit=200").json()["snapshots"]) >= DEMO_PICTURES,
            timeout=180,
            what="there are pictures",
        )
        return shot(browser, f"http://127.0.0.1:{service.port}", "/", {"screen": "desktop", "color_scheme": "light"})


def write(file: Path, picture: bytes) -> None:
    """Keep a picture, and say how large it is."""
    file.write_bytes(small(picture))
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def shot(browser: Browser, url: str, path: str, window: dict[str, str]) -> bytes:
    """A page as it is when everything in sight is loaded, as PNG."""
    visit = Visit(browser, url, reduced_motion="reduce", **window)  # type: ignore[arg-type]
    page = visit.go(path)
    wait_until(
        page,
        "() => [...document.images].every(image => image.complete || image.getBoundingClientRect().top > innerHeight)",
    )
    png = page.screenshot(animations="disabled")
    visit.close()
    return png


def small(png: bytes) -> bytes:
    """The same as WebP, as good as `LARGEST` allows."""
    with Image.open(io.BytesIO(png)) as image:
        for quality in range(90, 30, -5):
            out = io.BytesIO()
            image.convert("RGB").save(out, "WEBP", quality=quality, method=6)
            if out.tell() <= LARGEST:
                return out.getvalue()
    raise ValueError(f"a picture cannot be had in {LARGEST} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
