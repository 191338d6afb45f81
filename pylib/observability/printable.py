"""Text of others on a terminal: a file's or camera's name must not forge lines or move the cursor."""

from __future__ import annotations


def printable(text: str, *, keep: str = "") -> str:
    """The same without control characters, which become escapes such as `\\x1b`, but for those in `keep`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode() for char in text
    )
