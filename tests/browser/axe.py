"""axe-core: what is wrong with a page for people who do not see it, or use no mouse."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.visit import wait_until

OF_PHONES = ["target-size", "color-contrast", "scrollable-region-focusable", "meta-viewport", "aria-hidden-focus"]
"""All other rules are about what a page says."""
SOURCE = Path(__file__).parent / "vendor" / "axe.min.js"


def violations(page: Page, *, fingers: bool = False, but: Sequence[str] = ()) -> list[str]:
    """Every rule that the page breaks, by day, or by its colours at night: `serious: color-contrast: ...`.

    With the elements. `fingers`: what can be touched has to be large enough for them; `but`: selectors of what is
    not looked at.
    """
    page.evaluate(_source())
    found = _found(page, but, {"rules": {"target-size": {"enabled": fingers}}})
    page.emulate_media(color_scheme="dark")
    found += _found(page, but, {"runOnly": ["color-contrast"]})
    page.emulate_media(color_scheme="light")
    return found


def cramped(page: Page, but: Sequence[str] = ()) -> list[str]:
    """The same of what a phone changes about a page that `violations` has looked at on a desktop."""
    page.evaluate(_source())
    return _found(page, but, {"runOnly": OF_PHONES})


def _found(page: Page, but: Sequence[str], rules: dict[str, Any]) -> list[str]:
    wait_until(page, "document.getAnimations().length === 0")  # what fades in has no contrast yet
    options = {"preload": False, "resultTypes": ["violations"], **rules}
    found: dict[str, Any] = page.evaluate("([but, options]) => axe.run({ exclude: but }, options)", [but, options])
    return [_told(violation) for violation in found["violations"]]


def _told(violation: dict[str, Any]) -> str:
    places = "; ".join(f"{node['target']} {node['failureSummary']}" for node in violation["nodes"][:5])
    return f"{violation['impact']}: {violation['id']}: {violation['help']}: {places}"


@cache
def _source() -> str:
    return SOURCE.read_text()
