"""W3C trace context: passed on when it has the standard's form and size, else left out; never a reason to refuse."""

from __future__ import annotations

import re

from app.wire.fields import CONTROL

MAX_BAGGAGE = 8192
"""Bytes (https://www.w3.org/TR/baggage/#limits)."""
_IDS = r"(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_TRACEPARENT = re.compile(rf"00-{_IDS}|(?!00|ff)[0-9a-f]{{2}}-{_IDS}(?:-[!-~]{{0,200}})?")
"""https://www.w3.org/TR/trace-context/#traceparent-header: 55 characters; a later version may append more."""


def traceparent(text: str) -> str:
    """The same, or empty where it is no `traceparent`."""
    return text if _TRACEPARENT.fullmatch(text) else ""


def baggage(text: str) -> str:
    """The same, or empty where it is too long or holds control characters."""
    fits = len(text) <= MAX_BAGGAGE and not CONTROL.search(text) and len(text.encode()) <= MAX_BAGGAGE
    return text if fits else ""
