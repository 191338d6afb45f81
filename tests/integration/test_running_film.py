"""The running film when the process is killed: it plays, and has every picture once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from app.films import growing
from app.films.running import Standing
from app.journal import Journal
from app.media.film import FilmWriter
from pylib.files import durable
from tests.fakes.journal import opened
from tests.fakes.running_films import brought_up, put, running_film, shades

STEPS: list[tuple[Any, str]] = [
    (os, "fsync"),
    (Path, "rename"),
    (Path, "unlink"),
    (durable, "make_folder"),
    (growing, "_copy"),
    (growing, "_put_index"),
    (FilmWriter, "add"),
    (Journal, "note_pictures"),
    (Journal, "record_segment"),
    (Journal, "change_film"),
    (Journal, "film_changed"),
    (Journal, "record_media"),
]
"""What changes the disk, but for single writes."""


def mortal(at: int) -> None:
    """Have this process killed before its step of this number."""
    left = iter(range(at, -1, -1))

    def stepping(call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def stepped(*args: Any, **options: Any) -> Any:
            if next(left, 1) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **options)

        return stepped

    for owner, name in STEPS:
        setattr(owner, name, stepping(getattr(owner, name)))


def killed(home: Path, at: int) -> bool:
    """Append what is there in a process that is killed at this step; False when it had no such step."""
    child = os.fork()
    if not child:
        try:
            with opened(home / "journal.db") as journal:
                mortal(at)
                brought_up(running_film(home, journal))
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


@pytest.mark.long
def test_killed_at_every_step_the_film_plays_and_has_each_picture_once(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        put(tmp_path / "in", f"2026-03-0{day}.jpg", day)
    with opened(tmp_path / "journal.db") as journal:
        brought_up(running_film(tmp_path, journal))
    (tmp_path / "in/2026-03-02.jpg").unlink()
    put(tmp_path / "in", "2026-03-09.jpg", 9)
    put(tmp_path / "in", "2026-03-02.png", 8)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    at = 0
    while killed(tmp_path, at):
        assert shades(tmp_path / "diary.mp4") in ([1, 2, 3], [1, 2, 8, 3, 9]), at
        with opened(tmp_path / "journal.db") as journal:
            assert brought_up(running_film(tmp_path, journal)) == Standing(shown=5), at
        assert shades(tmp_path / "diary.mp4") == [1, 2, 8, 3, 9], at
        at += 1
        restore(tmp_path, before)
    assert at > 20


def restore(home: Path, files: dict[Path, tuple[bytes, int]]) -> None:
    for path in home.rglob("*"):
        if path.is_file() and path not in files:
            path.unlink()
    for path, (content, modified) in files.items():
        path.write_bytes(content)
        os.utime(path, ns=(modified, modified))
