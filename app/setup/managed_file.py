"""A file that we write, and never overwrite once a user has changed it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pylib.files import durable

_MARK = re.compile(r"# Written by make setup; [^\n]*\(sha256 of the rest: ([0-9a-f]{64})\)\n")


def marked(body: str) -> str:
    """The body behind a comment that shows whether it was changed since."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f"# Written by make setup; once you edit it, it stays as it is (sha256 of the rest: {digest})\n{body}"


def may_be_replaced(path: Path) -> bool:
    """Whether there is no such file, or we wrote it and it is unchanged."""
    if not path.exists():
        return True
    text = path.read_bytes().decode(errors="replace")
    mark = _MARK.match(text)
    return mark is not None and hashlib.sha256(text[mark.end() :].encode()).hexdigest() == mark[1]


def write(path: Path, body: str, *, mode: int) -> None:
    """Write a marked body atomically, with `mode` from its first byte on."""
    durable.write_private(path, marked(body).encode(), mode=mode)
