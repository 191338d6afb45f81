"""Where Chromium is on this machine, how it gets there, and how tests start it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.packages import install

SHELL = "chromium-headless-shell"
"""Chromium's pages without the windows around them, which cost more processor time than the pages do."""
COMMANDS = (SHELL, "chromium", "google-chrome", "google-chrome-stable", "chromium-browser")

FLAGS = (
    "--no-sandbox",  # which root in a container cannot have
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--lang=en-GB",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a drawn camera
    "--use-fake-ui-for-media-stream",  # which pages get that may use one at all
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser without a window. Raises what `find_chromium` raises."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS])
        try:
            yield browser
        finally:
            browser.close()


def find_chromium() -> str:
    """Path of what shows pages; the distribution's package is installed where it has one and that is missing.

    Raises RuntimeError with one line that says what to install.
    """
    if not _is_ubuntu():
        for package, enough in ((SHELL, (SHELL,)), ("chromium", COMMANDS)):
            if _installed(enough) is None:
                install(package)
    if (found := _installed(COMMANDS)) is not None:
        return found
    if _is_ubuntu():
        raise RuntimeError(
            "the tests need Chromium, which Ubuntu has only as a snap, and that cannot be driven from outside: "
            "install google-chrome-stable from google.com/chrome"
        )
    raise RuntimeError("the tests need Chromium: install chromium (Debian: apt-get install it)")


def _installed(commands: Sequence[str]) -> str | None:
    paths = [path for command in commands if (path := shutil.which(command))]
    return next((path for path in paths if "/snap/" not in path and _starts(path)), None)


def _starts(path: str) -> bool:
    """Whether it is a browser, and not the script that only says which snap to install."""
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


def _is_ubuntu() -> bool:
    try:
        return platform.freedesktop_os_release().get("ID") == "ubuntu"
    except OSError:
        return False
