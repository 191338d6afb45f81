"""Whether a file looks like a complete picture, by its head and tail: decoding comes later."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.media.formats import JPEG_END, PNG_END, format_of

TAIL = 8192
"""Bytes looked at from the end: cameras that pad do so to a block of 512 to 4096."""
MOST_SEGMENTS = 256
"""Of a JPEG's header; a camera writes about ten."""

_PADDING = b"\0\xff \t\r\n"


def looks_complete(path: Path) -> bool:
    """Whether the file is a JPEG, PNG, WEBP or BMP that ends where its format demands.

    True does not promise that it decodes, and False may be another kind of file. False too for a missing file, a
    link, or no regular file. A few dozen bytes at the head and `TAIL` at the end are read: 30 microseconds.
    """
    try:
        # A link is refused here and a FIFO does not block: whoever can write into the area may plant either.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        return stat.S_ISREG(status.st_mode) and _is_whole(descriptor, status.st_size)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _is_whole(file: int, size: int) -> bool:
    head = os.pread(file, 16, 0)
    kind = format_of(head)
    if kind == "JPEG":
        scan = _first_scan(file, size)
        return scan > 0 and _tail(file, size, scan).endswith(JPEG_END)
    if kind == "PNG":
        return _tail(file, size, 8).endswith(PNG_END)
    if kind == "WEBP":
        return size >= 8 + int.from_bytes(head[4:8], "little")
    if kind == "BMP":
        return size >= int.from_bytes(head[2:6], "little") > 26  # the size of the two smallest headers
    return False


def _tail(file: int, size: int, after: int) -> bytes:
    start = max(after, size - TAIL)
    return os.pread(file, size - start, start).rstrip(_PADDING)


def _first_scan(file: int, size: int) -> int:
    """Where a JPEG's coded data begin; 0 when that is not reached.

    The header's segments are stepped over: one of them may hold a thumbnail, whose end is not the picture's.
    """
    at = 2
    for _ in range(MOST_SEGMENTS):
        marker = os.pread(file, 4, at)
        if len(marker) < 4 or marker[0] != 0xFF:
            return 0
        if marker[1] == 0xDA:
            return at
        # Any number of fill bytes may stand before a marker (ITU T.81, B.1.1.2).
        at += 1 if marker[1] == 0xFF else 2 + int.from_bytes(marker[2:4], "big")
        if at >= size:
            return 0
    return 0
