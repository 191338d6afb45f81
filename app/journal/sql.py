"""Helpers for SQL statements with many values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

AMONG = "IN (SELECT value FROM json_each(?))"
"""A condition with `listed(...)` as its value, however many there are."""


def listed(values: Iterable[object]) -> str:
    return json.dumps(list(values))


def marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def insert_all(db: sqlite3.Connection, into: str, rows: Sequence[tuple[object, ...]], *, replace: bool = False) -> None:
    """Insert rows of one length in one statement, or replace those with their key.

    Every statement hands the interpreter to another thread about five times, and `executemany` runs one for each row.
    """
    if rows:
        db.execute(f"{'REPLACE' if replace else 'INSERT'} INTO {into} {_places(rows)}", _values(rows))


def upsert_all(db: sqlite3.Connection, into: str, rows: Sequence[tuple[object, ...]], *, key: str, change: str) -> None:
    """The same, with this `change` of those with their `key`, one row after the other."""
    if rows:
        db.execute(f"INSERT INTO {into} {_places(rows)} ON CONFLICT {key} DO UPDATE SET {change}", _values(rows))


def _places(rows: Sequence[tuple[object, ...]]) -> str:
    return "VALUES " + ", ".join([f"({', '.join('?' * len(rows[0]))})"] * len(rows))


def _values(rows: Sequence[tuple[object, ...]]) -> list[object]:
    return [value for row in rows for value in row]
