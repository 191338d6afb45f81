"""Pictures' paths as they are stored: relative to the data folder, so that a folder that is moved or restored works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from pylib import sqlite

CACHED = 6
"""Parts of a path in the cache, `cache/YYYY/MM/DD/<camera>/<file>`."""


def path_functions(folder: Path) -> dict[str, Callable[[str], str]]:
    """The SQL functions `stored(path)` and `located(path)` of a journal in this data folder; both leave '' alone."""
    prefix = f"{folder}/"

    def stored(path: str) -> str:
        if path.startswith(prefix):
            return path[len(prefix) :]
        parts = PurePath(path).parts[-CACHED:]
        # Written by a release that stored the whole path, in a folder that was moved since.
        return "/".join(parts) if path.startswith("/") and parts[0] == "cache" else path

    def located(path: str) -> str:
        return prefix + path if path and not path.startswith("/") else path

    return {"stored": stored, "located": located}


def recorded_paths(journal: Path) -> Iterator[str]:
    """Where each picture, and each file beside one, should be, read from a journal that another process may have open.

    Raises `pylib.sqlite.DatabaseUnusable`.
    """
    functions = path_functions(journal.parent)
    with sqlite.reading(journal) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in tables & {"snapshots", "media"}:  # an earlier release had no media
            for (path,) in database.execute(f"SELECT path FROM {table} WHERE path != ''"):
                yield functions["located"](functions["stored"](path))
