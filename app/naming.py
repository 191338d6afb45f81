"""How names of cameras become parts of paths and addresses."""

from __future__ import annotations

import re
import unicodedata


def slug(name: str) -> str:
    """A name as a folder or address may carry it: `Front Door Camera` -> `front-door-camera`."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[^\w]+", "-", plain).strip("-") or "camera"
