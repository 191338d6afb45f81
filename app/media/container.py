"""Walks a picture's container before any decoder sees it: where it ends, and whether it holds more than a picture does.

Decoders keep each segment as an object, and pass over all pixels for each scan: 45 MB of empty segments are 1 GB. The
walk is linear, and holds a window of the file at a time. Where the file breaks off it waits, and goes on from there
when more has come.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pylib.errors import Permanent

T = TypeVar("T")

MAX_SEGMENTS = 256
"""Segments, chunks or boxes beside those of pixels; a camera writes about ten."""
MAX_METADATA = 1_000_000
"""Bytes in all of these."""
MAX_FILL = 65_536
"""Bytes between the segments of a JPEG's header that belong to none: fill, and what a segment's lying length left."""
MAX_SCANS = 100
"""A progressive JPEG has about ten. Each is a pass over all pixels: a file with 100,000 costs minutes."""
MAX_DATA_CHUNKS = 16_384
"""Chunks of pixels, unless they hold `MIN_DATA_CHUNK` bytes on average: a PNG of 50 MB in pieces of 4 kB has 12,000."""
MIN_DATA_CHUNK = 64
"""Encoders of small devices write pieces of 512 bytes."""
MAX_PACKED = 16
"""Compressed texts and profiles of a PNG, each of which Pillow unpacks to at most 1 MB."""
MAX_RLE_PIXELS = 4_000_000
"""Of a BMP with run lengths, which Pillow decodes in Python: a second."""

_WINDOW = 1 << 18
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""A JPEG's marker: no stuffed byte (ITU T.81, B.1.1.5), no fill, no restart."""
SCAN, _END, _FRAMES = 0xDA, 0xD9, {*range(0xC0, 0xD0)} - {0xC8}
WITH_LENGTH = {*_FRAMES, *range(0xDA, 0xE0), *range(0xE0, 0xF0), 0xFE}
_PACKED = (b"zTXt", b"iTXt", b"iCCP")
_PIXELS = (b"IDAT", b"fcTL", b"fdAT", b"VP8 ", b"VP8L", b"ALPH", b"ANMF", b"mdat")

Read = Callable[[int, int], bytes]
"""Some bytes: from where, and how many; fewer at the end."""


class Overloaded(Permanent):
    """A file that would cost more than any picture; `code` is `metadata_bomb` or `pixel_bomb`."""


def end_of(kind: str, read: Read) -> int:
    """The byte behind a picture of this format; 0 when the file breaks off before, or is no such picture.

    Whatever follows is not looked at: padding, a camera's own trailer, a second view, a video. Raises `Overloaded`.
    """
    return next(walk(kind, read), 0)


def walk(kind: str, read: Read) -> Iterator[int]:
    """The same for a file that is still arriving: 0 each time that it breaks off before, and once the end.

    Nothing more comes of what is no such picture. Raises `Overloaded`.
    """
    return _WALKS[kind](read)


def first_scan(read: Read) -> int:
    """Where a JPEG's coded data begin, behind the thumbnail in its header; 0 when that is not reached.

    Raises `Overloaded`.
    """
    return next(_result(_jpeg_header(read, _Tally())))


@dataclass(slots=True)
class _Tally:
    """What was met so far. All methods raise `Overloaded`."""

    segments: int = 0
    metadata: int = 0
    data_chunks: int = 0
    data: int = 0
    packed: int = 0

    def segment(self, size: int) -> None:
        self.segments += 1
        self.metadata += size
        if self.segments > MAX_SEGMENTS:
            raise Overloaded(
                "metadata_bomb", f"The picture has more than {MAX_SEGMENTS} segments, which no camera makes."
            )
        if self.metadata > MAX_METADATA:
            raise Overloaded("metadata_bomb", f"The picture has more than {MAX_METADATA} bytes beside its pixels.")

    def chunk(self, name: bytes, size: int) -> None:
        if name not in _PIXELS:
            self.segment(size)
            self.packed += name in _PACKED
        else:
            self.data_chunks += 1
            self.data += size
        if self.packed > MAX_PACKED:
            raise Overloaded("metadata_bomb", f"The picture has more than {MAX_PACKED} compressed texts and profiles.")
        if self.data_chunks > max(MAX_DATA_CHUNKS, self.data // MIN_DATA_CHUNK):
            raise Overloaded(
                "metadata_bomb",
                f"The pixels are in more than {MAX_DATA_CHUNKS} pieces of less than {MIN_DATA_CHUNK} bytes.",
            )


_Part = Generator[int, None, T]
"""A part of a walk: it gives 0 while it waits for bytes, and then returns what it has found."""


def _jpeg(read: Read) -> Iterator[int]:
    tally = _Tally()
    at, scans = (yield from _jpeg_header(read, tally)), 0
    while True:
        at, code, size = yield from _segment(read, at)
        if code == _END:
            yield at + 2
            return
        scans += code == SCAN
        if scans > MAX_SCANS:
            raise Overloaded("pixel_bomb", f"This JPEG has more than {MAX_SCANS} scans, which no camera makes.")
        tally.segment(size)
        at += 2 + size


def _jpeg_header(read: Read, tally: _Tally) -> _Part[int]:
    """Where the first scan's marker stands, found as decoders find it: they pass over what is no marker."""
    behind, fill = 2, 0
    while True:
        at, code, size = yield from _segment(read, behind, most=MAX_FILL - fill)
        if code == SCAN:
            return at
        fill += at - behind
        tally.segment(size)
        behind = at + 2 + size


def _segment(read: Read, start: int, *, most: float = math.inf) -> _Part[tuple[int, int, int]]:
    """The next segment: where its marker stands, its code, and how many bytes follow the marker.

    Raises `Overloaded` if it is more than `most` bytes away.
    """
    at, size = start, 16  # in the header it is mostly the next byte
    while True:
        window = read(at, size)
        marker = MARKER.search(window)
        at += marker.start() if marker else max(0, len(window) - 1)  # the last byte may be a marker's first
        if at - start > most:
            raise Overloaded("metadata_bomb", f"This JPEG has more than {MAX_FILL} bytes between its segments.")
        if marker:
            break
        if len(window) < size:
            yield 0
        size = _WINDOW
    code = marker[0][1]
    if code not in WITH_LENGTH:
        return at, code, 0
    length = window[marker.end() : marker.end() + 2]
    if len(length) < 2:
        length = yield from _there(read, at + 2, 2)
    return at, code, max(2, int.from_bytes(length))


def _png(read: Read) -> Iterator[int]:
    tally, at = _Tally(), 8
    while True:
        head = yield from _there(read, at, 8)
        size, name = int.from_bytes(head[:4]), head[4:]
        at += 12 + size
        if name == b"IEND":
            yield from _reached(read, at)
            return
        tally.chunk(name, size)


def _webp(read: Read) -> Iterator[int]:
    end = 8 + int.from_bytes((yield from _there(read, 4, 4)), "little")
    tally, at = _Tally(), 12
    while at + 8 <= end:
        head = yield from _there(read, at, 8)
        size = int.from_bytes(head[4:], "little")
        tally.chunk(head[:4], size)
        at += 8 + size + size % 2
    yield from _reached(read, end)


def _bmp(read: Read) -> Iterator[int]:
    header = int.from_bytes((yield from _there(read, 14, 4)), "little")
    head = yield from _there(read, 0, 26 if header == 12 else 54)
    size, begin = (int.from_bytes(head[at : at + 4], "little") for at in (2, 10))
    if header == 12:
        width, height, bits = (int.from_bytes(head[at : at + 2], "little") for at in (18, 20, 24))
        packing = packed = 0
    else:
        width, height, packing, packed = (
            int.from_bytes(head[at : at + 4], "little", signed=True) for at in (18, 22, 30, 34)
        )
        bits = int.from_bytes(head[28:30], "little")
    if packing not in (1, 2):
        # Of the sizes that writers state, this is the one that they cannot get wrong.
        rows = (width * bits + 31) // 32 * 4 * abs(height)
        end = begin + rows if rows > 0 else 0
    elif width * abs(height) > MAX_RLE_PIXELS:
        raise Overloaded("pixel_bomb", f"A BMP with run lengths may have {MAX_RLE_PIXELS} pixels.")
    else:
        end = begin + packed if packed > 0 else size
    if end:
        yield from _reached(read, end)


def _heic(read: Read) -> Iterator[int]:
    tally, at, end = _Tally(), 0, {b"meta": 0, b"mdat": 0}
    while not all(end.values()):
        head = yield from _there(read, at, 8)
        size, name = int.from_bytes(head[:4]), head[4:]
        if size == 1:
            size = int.from_bytes((yield from _there(read, at + 8, 8)))
        size = size or 8  # 0 is "to the end of the file": nothing tells where that is
        if size < 8:
            return
        tally.chunk(name, size)
        at += size
        end[name] = at
    yield from _reached(read, max(end.values()))


def _there(read: Read, at: int, count: int) -> _Part[bytes]:
    """So many bytes, once they have come."""
    while len(found := read(at, count)) < count:
        yield 0
    return found


def _reached(read: Read, end: int) -> Iterator[int]:
    yield from _there(read, end - 1, 1)
    yield end


def _result(part: _Part[int]) -> Iterator[int]:
    yield (yield from part)


_WALKS: dict[str, Callable[[Read], Iterator[int]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "BMP": _bmp,
    "HEIC": _heic,
}
