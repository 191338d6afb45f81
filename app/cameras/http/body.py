"""An answer's body as it comes: unpacked where it is packed, and whole as soon as the picture in it is.

Labels are hints: a length may be wrong, a last chunk missing, a plain picture called a stream, gzip not asked for.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from app.media import container
from app.media.formats import format_of

_PACKED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
"""How gzip (RFC 1952) and zlib (RFC 1950) begin."""
_EITHER = 32 + zlib.MAX_WBITS
_FIRST_PART = re.compile(rb"\s{0,4}(--[^\r\n]{1,200})\r?\n(?:[^\r\n]{1,1000}\r?\n){0,20}\r?\n")
"""The delimiter of a multipart and the head of its first part (RFC 2046)."""
_MOST_HEAD = 22_000


class PictureBody:
    """Collects the pieces of one body. `add` raises zlib.error for packed bytes that cannot be unpacked."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        """Of the picture; what stands around it may be a little more."""
        self._data = bytearray()
        self._unpack: zlib._Decompress | None = None
        self._delimiter = b""
        """Of a multipart's parts."""
        self._begin: int | None = None
        """Where the picture begins, once that is known."""
        self._walk: Iterator[int] | None = None
        """To the picture's end, once its format is known."""
        self._is_overloaded = False
        self._end = 0
        """Behind its last byte, once that has come."""
        self._next_part = 0
        """Behind the delimiter that ends the first part, once that has come."""

    @property
    def has_picture(self) -> bool:
        """Whether nothing of the picture is awaited, though more may belong to the body.

        So it is too for one that holds far more than a picture does: the pipeline refuses that.
        """
        return self._end > 0 or self._is_overloaded

    @property
    def whole(self) -> bool:
        """Whether nothing more is needed."""
        if not self._delimiter or not self._end:
            return self._end > 0
        return self._after_part() == b"--" or len(self._data) - self._end > _MOST_HEAD

    @property
    def is_stream(self) -> bool:
        """Whether a second part has begun: pictures without end."""
        return self._after_part() not in (b"", b"-", b"--")

    @property
    def too_large(self) -> bool:
        """Whether it is larger than allowed."""
        return (self._end or len(self._data)) - (self._begin or 0) > self.max_bytes

    @property
    def picture(self) -> bytes:
        """What came of the picture, without what stands before and behind it."""
        return bytes(self._data[self._begin or 0 : self._end or None])

    def add(self, piece: bytes) -> None:
        """The next piece, of any size but none."""
        if self._unpack is None and not self._data and piece.startswith(_PACKED):
            self._unpack = zlib.decompressobj(_EITHER)
        if self._unpack is not None:
            piece = self._unpack.decompress(piece, self.max_bytes + _MOST_HEAD)
        before = len(self._data)
        self._data += piece
        if self._begin is None:
            before = 0
            self._begin = self._beginning()
        if self._begin is not None and not self._end:
            self._end = self._ending(self._begin)
        if self._delimiter and not self._next_part:
            self._next_part = self._part_ending(before)

    def _beginning(self) -> int | None:
        """0 but for a multipart, whose first part counts; None until its head has come."""
        part = _FIRST_PART.match(self._data)
        if part is not None:
            self._delimiter = part[1]
            return part.end()
        waits = b"--".startswith(self._data.lstrip()[:2]) and len(self._data) < _MOST_HEAD
        return None if waits else 0

    def _ending(self, begin: int) -> int:
        """Behind the picture, once that has come; else 0."""
        if self._walk is None:
            kind = format_of(self._read(0, 16))
            if not kind:
                return 0
            self._walk = container.walk(kind, self._read)
        try:
            end = next(self._walk, 0)
        except container.Overloaded:
            self._is_overloaded = True
            end = 0
        return begin + end if end else 0

    def _read(self, at: int, size: int) -> bytes:
        """Some bytes of the picture, as the walk through it asks for them."""
        begin = (self._begin or 0) + at
        return memoryview(self._data)[begin : begin + size].tobytes()

    def _part_ending(self, before: int) -> int:
        """Behind the delimiter that came with the bytes from `before` on; 0 if none did."""
        # Within a picture, bytes that look like a short delimiter without its line are pixels.
        wanted = self._delimiter if self._end else b"\n" + self._delimiter
        at = self._data.find(wanted, max(self._end or self._begin or 0, before - len(wanted)))
        return at + len(wanted) if at >= 0 else 0

    def _after_part(self) -> bytes:
        return bytes(self._data[self._next_part : self._next_part + 2]) if self._next_part else b""
