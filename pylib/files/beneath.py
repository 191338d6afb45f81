"""Folders below one that others write to, reached without following a link, whatever is renamed or linked meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BY_DESCRIPTOR = Path("/proc/self/fd")
_HAS_DESCRIPTORS = _BY_DESCRIPTOR.is_dir()


@contextmanager
def folder(root: Path, below: PurePath, *, make: bool = False) -> Iterator[Path]:
    """A path to a folder below `root` that leads there for as long as this lasts. Only `root` itself may be a link.

    `make`: make it, and those above it, where they are missing. Raises FileNotFoundError, NotADirectoryError for a
    link or a file in a folder's place, and any other OSError.
    """
    with descriptor(root, below, make=make) as opened:
        # Where the system has no such paths, a link that is put there just now is followed.
        yield _BY_DESCRIPTOR / str(opened) if _HAS_DESCRIPTORS else root / below


@contextmanager
def descriptor(root: Path, below: PurePath, *, make: bool = False) -> Iterator[int]:
    """The same as an open descriptor."""
    opened = os.open(root, _FOLDER)
    try:
        for part in below.parts:
            outer, opened = opened, _open_or_make(part, opened) if make else _open(part, opened)
            os.close(outer)
        yield opened
    finally:
        os.close(opened)


@contextmanager
def inner(name: str, outer: int) -> Iterator[int]:
    """A descriptor of the folder of this name inside another. Raises as `folder` does."""
    opened = _open(name, outer)
    try:
        yield opened
    finally:
        os.close(opened)


def _open_or_make(name: str, outer: int) -> int:
    with suppress(FileNotFoundError):
        return _open(name, outer)
    with suppress(FileExistsError):  # somebody made it just now
        os.mkdir(name, dir_fd=outer)
    return _open(name, outer)


def _open(name: str, outer: int) -> int:
    if name == "..":
        raise NotADirectoryError(name)
    return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=outer)
