"""Whether a file looks like a complete picture or video, by its container: decoding comes later."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.media import container, video_container
from app.media.formats import JPEG_END, format_of

TAIL = 8192
"""Bytes looked at from the end: cameras that pad do so to a block of 512 to 4096."""
HEAD = 16_384
"""Bytes read at once: the walk asks for a few at a time, and each call hands the interpreter to another thread."""
MOST = 250_000_000
"""Bytes of a file that is read to its end."""

_PADDING = b"\0\xff \t\r\n"


def says_where_it_ends(path: Path) -> bool:
    """Whether the file is of a format that `looks_complete` knows. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(16)
    return bool(format_of(head)) or video_container.ends(head)


def looks_complete(path: Path) -> bool:
    """Whether the file is a picture that goes on to where its format demands, whatever follows, or such a video.

    True does not promise that it decodes, but no picture decodes for which this is False. False too for a missing file,
    a link, no regular file, a picture of more than `MOST` bytes, and a video that does not say where it ends. A JPEG
    that ends with its end mark takes 50 microseconds; another is read to its end, at about a gigabyte a second.
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
    head = os.pread(file, HEAD, 0)
    kind = format_of(head[:16])

    def read(at: int, count: int) -> bytes:
        return head[at : at + count] if at + count <= len(head) else os.pread(file, count, at)

    if not kind:
        return video_container.is_whole(read, size)
    if size > MOST:
        return False
    try:
        return (kind == "JPEG" and _ends_in_sight(read, size)) or container.end_of(kind, read) > 0
    except container.Overloaded:
        return False


def _ends_in_sight(read: container.Read, size: int) -> bool:
    # The end of the thumbnail in the header is not the picture's.
    in_pixels = container.first_scan(read) > 0
    return in_pixels and read(max(0, size - TAIL), TAIL).rstrip(_PADDING).endswith(JPEG_END)
