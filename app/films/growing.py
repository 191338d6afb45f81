"""MP4 films that grow: a part goes to the end, and the index, which stands at the start, is replaced in one step.

    ftyp | switch | slot A | slot B | mdat of a part | mdat of the next one | ...

Each slot has room for an index (`moov`). The switch is an empty `free` box, whose length makes players pass on to the
slot that counts: they see an ordinary MP4 whose index comes first. The other slot is written while nobody reads it;
then the four bytes of the switch's length are, which a disk writes together or not at all. So the film plays at every
moment, and what is appended costs what the part is long, however long the film is. A part may stand anywhere in the
file: the index says in which order they are shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from struct import Struct, error, pack, unpack_from
from typing import BinaryIO

from app.media.film import FilmError, FilmUnwritable
from app.media.film_file import extradata_of
from pylib.files import durable

_BOX = Struct(">I4s")
_SAMPLE = Struct(">I")
_FOLDERS = (b"trak", b"mdia", b"minf", b"stbl")
_DURATIONS = {b"mvhd": 24, b"tkhd": 28, b"mdhd": 24}
"""Where each of these boxes, of version 0, has its duration."""
_TIMESCALE = 20
"""Where `mvhd` and `mdhd` have theirs."""
_TICK = 20
"""Where `stts` says how long a frame is."""
_REPLACED = (b"edts", b"udta", b"stts", b"stss", b"stsc", b"stsz", b"stco", b"co64")
"""Boxes of a part's index that the film's has anew, or not at all."""
_ENTRY = 16
"""Where `stsd` has its first entry, behind which come the picture's size and the codec's configuration."""
_ENTRY_HEAD = 86
"""Bytes of that entry before the boxes in it."""
FIRST_ROOM = 16_384
"""Bytes for the first index: some 1,000 days of a picture each."""
_COPIED = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A film of its own that is shown within the growing one."""

    path: str
    samples: bytes
    """Four bytes for each frame: its size times two, and one more for a keyframe."""
    offset: int = 0
    """Of its first frame in the growing film; 0 while it is not there."""

    @property
    def frames(self) -> int:
        return len(self.samples) // _SAMPLE.size

    @property
    def size(self) -> int:
        """Bytes of its frames."""
        return sum(sample >> 1 for sample in _samples(self))


class IndexFull(Exception):
    """The film's index has outgrown its slot: the film has to be written anew."""


def part_of(path: Path) -> Part:
    """Read a film of `app.media.film` as a part. Raises `FilmError`."""
    tables = _tables(_index(path))
    try:
        alike, count, keys = _number(tables[b"stsz"], 12), _number(tables[b"stsz"], 16), tables.get(b"stss")
        sizes = (alike,) * count if alike else unpack_from(f">{count}I", tables[b"stsz"], 20)
    except (KeyError, error):
        raise FilmError("film_unreadable", f"{path.name} has no index") from None
    known = set(unpack_from(f">{_number(keys, 12)}I", keys, 16)) if keys else set(range(1, count + 1))
    return Part(str(path), b"".join(_SAMPLE.pack(size << 1 | (at in known)) for at, size in enumerate(sizes, 1)))


def way_of(path: Path) -> tuple[bytes, int, int, bytes]:
    """How a film was encoded: those of which it is the same can be parts of one. Raises `FilmError`.

    Its size and codec, its clock, and what the codec says of itself.
    """
    tables = _tables(_index(path))
    try:
        entry = tables[b"stsd"][_ENTRY + 4 : _ENTRY + _ENTRY_HEAD]
        return entry, _number(tables[b"mdhd"], _TIMESCALE), _number(tables[b"stts"], _TICK), extradata_of(path)
    except (KeyError, error):
        raise FilmError("film_unreadable", f"{path.name} has no index") from None


def write(film: Path, parts: Sequence[Part], *, room: int = FIRST_ROOM) -> list[Part]:
    """Write a film of these parts, in their order; returns them with their places in it.

    Beside its path, synced, renamed. `room`: bytes for the index, which are doubled until it fits twice. Raises
    `FilmError`, `FilmUnwritable`.
    """
    template = _index(Path(parts[0].path))
    while room < 2 * len(_moov(template, parts)):
        room *= 2
    partial = film.with_name(f".{film.name}{durable.PARTIAL}")
    try:
        with unwritable(film), partial.open("w+b") as file:
            file.write(pack(">I4s4sI4s4s4s4s", 32, b"ftyp", b"isom", 512, b"isom", b"iso2", b"avc1", b"mp41"))
            slots = file.tell() + _BOX.size
            placed = _placed(parts, file.seek(slots + 2 * room))
            for part in placed:
                _copy(part, file)
            _put_index(file, slots, 2 * room, _moov(template, placed))
            file.seek(slots - _BOX.size)
            file.write(_BOX.pack(_BOX.size, b"free"))
            file.flush()
            os.fsync(file.fileno())
            partial.rename(film)
            durable.sync_folder(film.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return placed


def grow(film: Path, parts: Sequence[Part]) -> list[Part]:
    """Make the film show these parts in this order; those that are not in it yet are copied to its end.

    Returns them with their places. Raises `IndexFull`, `FilmError`, `FilmUnwritable`; the film is as it was then.
    """
    with unwritable(film), film.open("r+b", buffering=0) as file:
        switch, slots, room, second = _slots(film, file)
        end = file.seek(0, os.SEEK_END)
        placed = _placed(parts, end)
        moov = _moov(_index(Path(parts[0].path)), placed)
        if len(moov) > room - _BOX.size:
            raise IndexFull("its index needs more room")
        try:
            for part in placed:
                if part.offset > end:
                    _copy(part, file)
        except BaseException:
            file.truncate(end)
            raise
        at, length = (slots, 2 * room) if second else (slots + room, room)
        _put_index(file, at, length, moov)
        os.fsync(file.fileno())
        file.seek(switch)
        file.write(pack(">I", at - switch))
        os.fsync(file.fileno())
    return placed


def _slots(film: Path, file: BinaryIO) -> tuple[int, int, int, bool]:
    """Where the switch is and the slots begin, how many bytes each has, and whether the second one counts."""
    try:
        switch = _BOX.unpack(file.read(_BOX.size))[0]
        file.seek(switch)
        skipped, kind = _BOX.unpack(file.read(_BOX.size))
        file.seek(switch + skipped)
        length, moov = _BOX.unpack(file.read(_BOX.size))
        file.seek(switch + skipped + length)
        filling, free = _BOX.unpack(file.read(_BOX.size))
    except error:
        raise FilmError("film_unreadable", f"{film.name} is not a film that can grow") from None
    if (kind, moov, free) != (b"free", b"moov", b"free"):
        raise FilmError("film_unreadable", f"{film.name} is not a film that can grow")
    second = skipped > _BOX.size
    return switch, switch + _BOX.size, (length + filling) // (1 if second else 2), second


def _put_index(file: BinaryIO, at: int, length: int, moov: bytes) -> None:
    file.seek(at)
    _write_all(file, moov + _BOX.pack(length - len(moov), b"free"))


def _placed(parts: Sequence[Part], end: int) -> list[Part]:
    """The parts with their places in a film of so many bytes: those that have none come to its end."""
    placed = []
    for part in parts:
        if not part.offset:
            part = replace(part, offset=end + _BOX.size)
            end = part.offset + part.size
        placed.append(part)
    return placed


def _copy(part: Part, film: BinaryIO) -> None:
    """Add a part's frames at the end of the film, which is their place."""
    size, path = part.size, Path(part.path)
    with path.open("rb") as file:
        if _seek(file, b"mdat") - _BOX.size != size:
            raise FilmError("film_unreadable", f"{path.name} does not hold the frames that it names")
        _write_all(film, _BOX.pack(_BOX.size + size, b"mdat"))
        while size:
            copied = file.read(min(size, _COPIED))
            if not copied:
                raise FilmError("film_unreadable", f"{path.name} broke off")
            size -= len(copied)
            _write_all(film, copied)


def _write_all(file: BinaryIO, data: bytes) -> None:
    """All of it, or OSError: a disk that is nearly full takes a part first, and says so by a number alone."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _moov(template: bytes, parts: Sequence[Part]) -> bytes:
    """The index of these parts; what is not of the frames is the template's."""
    tables = _tables(template)
    tick = _number(tables[b"stts"], _TICK)
    samples = [sample for part in parts for sample in _samples(part)]
    ticks = len(samples) * tick
    keys = [number for number, sample in enumerate(samples, 1) if sample & 1]
    chunks, first = [], 1
    for frames, alike in groupby(part.frames for part in parts):
        chunks.append(pack(">III", first, frames, 1))
        first += len(list(alike))
    made = {
        b"stts": pack(">IIII", 0, 1, len(samples), tick),
        b"stss": pack(f">II{len(keys)}I", 0, len(keys), *keys),
        b"stsc": pack(">II", 0, len(chunks)) + b"".join(chunks),
        b"stsz": pack(f">III{len(samples)}I", 0, 0, len(samples), *(sample >> 1 for sample in samples)),
        b"co64": pack(f">II{len(parts)}Q", 0, len(parts), *(part.offset for part in parts)),
    }
    scales = (_number(tables[b"mvhd"], _TIMESCALE), _number(tables[b"mdhd"], _TIMESCALE))

    def rebuilt(box: bytes, kind: bytes) -> bytes:
        if kind in (b"moov", *_FOLDERS):
            inner = [rebuilt(child, name) for name, child in _boxes(box[_BOX.size :]) if name not in _REPLACED]
            if kind == b"stbl":
                inner += [_BOX.pack(_BOX.size + len(table), name) + table for name, table in made.items()]
            body = b"".join(inner)
            return _BOX.pack(_BOX.size + len(body), kind) + body
        if kind in _DURATIONS:
            at = _DURATIONS[kind]
            duration = ticks if kind == b"mdhd" else ticks * scales[0] // scales[1]
            return box[:at] + pack(">I", duration) + box[at + 4 :]
        return box

    return rebuilt(template, b"moov")


def _samples(part: Part) -> tuple[int, ...]:
    return unpack_from(f">{part.frames}I", part.samples)


def _index(path: Path) -> bytes:
    """The whole `moov` of a film."""
    try:
        with path.open("rb") as file:
            size = _seek(file, b"moov")
            file.seek(-_BOX.size, os.SEEK_CUR)
            return file.read(size)
    except OSError as failed:
        raise FilmError("film_unreadable", f"cannot read {path}: {failed.strerror}") from failed


def _seek(file: BinaryIO, wanted: bytes) -> int:
    """Go behind the header of the first outermost box of this kind; returns the box's size."""
    while len(header := file.read(_BOX.size)) == _BOX.size:
        size, kind = _BOX.unpack(header)
        if kind == wanted:
            return int(size)
        if size < _BOX.size:
            break
        file.seek(size - _BOX.size, os.SEEK_CUR)
    raise FilmError("film_unreadable", f"{Path(file.name).name} has no {wanted.decode()}")


def _tables(moov: bytes) -> dict[bytes, bytes]:
    """The boxes of an index that hold no others."""
    found: dict[bytes, bytes] = {}
    todo = list(_boxes(moov[_BOX.size :]))
    while todo:
        kind, box = todo.pop()
        found[kind] = box
        if kind in _FOLDERS:
            todo += _boxes(box[_BOX.size :])
    return found


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + _BOX.size <= len(data):
        size, kind = _BOX.unpack_from(data, at)
        if size < _BOX.size:
            return
        yield kind, data[at : at + size]
        at += size


def _number(box: bytes, at: int) -> int:
    return int(unpack_from(">I", box, at)[0])


@contextmanager
def unwritable(film: Path) -> Iterator[None]:
    """Turns what the disk refuses into `FilmUnwritable`."""
    try:
        yield
    except OSError as failed:
        raise FilmUnwritable("film_unwritable", f"cannot write {film}: {failed.strerror}") from failed
