"""What a power cut would leave of the files in a folder, and in which order it was made safe.

It listens to the calls of the `os` module that matter (fsync, rename, replace, link, unlink) and to the commits of
a journal, so it does not care who makes them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from app.journal import Journal


class Disk:
    """The disk below one folder. What lies there at first is taken as safe."""

    def __init__(self, root: Path) -> None:
        self.steps: list[str] = []
        """What was done, in this order: `sync <name>`, `name <name>` (by rename or link), `drop <name>`, `commit`, and
        what else was noted."""
        self.torn: list[str] = []
        """Names that were given to files before their contents were safe: a power cut may leave them half empty."""
        self.lost: list[str] = []
        """Names of files that were deleted while nothing else that a power cut leaves had their contents."""
        self._root = root
        self._held: dict[int, int] = {}  # inode -> descriptor, so that no inode is used again
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        for folder, _, files in os.walk(root):
            for path in (folder, *(os.path.join(folder, file) for file in files)):  # noqa: PTH118
                self._save(Path(path))

    def left(self) -> dict[str, bytes]:
        """Paths and contents of the files that a power cut now would leave."""
        return dict(self._below(self._root.stat().st_ino, ""))

    def note(self, step: str) -> None:
        """Something else happened: a commit, an acknowledgement."""
        self.steps.append(step)

    def watch(self, journal: Journal) -> None:
        """Note each transaction of this journal as `commit`; there are more than changes, for a question is one too."""

        def traced(statement: str) -> None:
            if statement == "COMMIT":
                self.note("commit")

        journal.database.do(lambda db: db.set_trace_callback(traced))

    def synced(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        self.steps.append(f"sync {path.name}")
        self._save(path)

    def named(self, target: Path) -> None:
        self.steps.append(f"name {target.name}")
        if target.is_file() and self._contents.get(target.stat().st_ino) != target.read_bytes():
            self.torn.append(target.name)

    def dropped(self, path: Path) -> None:
        self.steps.append(f"drop {path.name}")
        others = (contents for other, contents in self.left().items() if self._root / other != path)
        if path.is_file() and path.read_bytes() not in others:
            self.lost.append(path.name)

    def close(self) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)

    def _save(self, path: Path) -> None:
        status = path.stat()
        if status.st_ino not in self._held:
            self._held[status.st_ino] = os.open(path, os.O_RDONLY)
        if stat.S_ISDIR(status.st_mode):
            self._names[status.st_ino] = {entry.name: entry.inode() for entry in os.scandir(path)}
        else:
            self._contents[status.st_ino] = path.read_bytes()

    def _below(self, folder: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        for name, inode in self._names.get(folder, {}).items():
            if inode in self._names:
                yield from self._below(inode, f"{prefix}{name}/")
            elif inode in self._contents:
                yield prefix + name, self._contents[inode]


@contextmanager
def disk(root: Path) -> Iterator[Disk]:
    """Listens for as long as this lasts."""
    watched = Disk(root)
    fsync, unlink, calls = os.fsync, os.unlink, {name: getattr(os, name) for name in ("rename", "replace", "link")}

    def synced(file: Any) -> None:
        fsync(file)
        watched.synced(file if isinstance(file, int) else file.fileno())

    def naming(name: str) -> Any:
        def named(source: Any, target: Any, **options: Any) -> None:
            calls[name](source, target, **options)
            watched.named(Path(target))

        return named

    def dropped(path: Any, *, dir_fd: int | None = None) -> None:
        folder = Path() if dir_fd is None else Path(f"/proc/self/fd/{dir_fd}").readlink()
        watched.dropped(folder / path)
        unlink(path, dir_fd=dir_fd)

    listening = {"fsync": synced, "unlink": dropped, **{name: naming(name) for name in calls}}
    with patch.multiple(os, **listening):
        try:
            yield watched
        finally:
            watched.close()


def another_device(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Nothing can be renamed or linked out of this folder any more, as if another disk were mounted there."""

    def refusing(call: Any) -> Any:
        def refuse(source: Any, target: Any, **options: Any) -> None:
            if Path(source).parent.resolve() == folder.resolve():  # also by a descriptor
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            call(source, target, **options)

        return refuse

    for name in ("rename", "replace", "link"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
