"""Light or dark: as the device has it, or as its user wants it here. A cookie says so, and the first paint is right."""

from __future__ import annotations

from starlette.requests import Request

COOKIE = "theme"
THEMES = ("light", "dark")
"""Any other word means the device's."""


def theme_of(request: Request) -> str:
    """The theme that was chosen on this device; empty for the device's own."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else ""
