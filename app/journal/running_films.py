"""Films that grow for years: their parts, a day each, and what became of each picture that they were offered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app.journal.base import JournalPart
from app.journal.columns import moment

PictureState = Literal["waiting", "shown", "undated", "broken", "passed"]
"""`waiting` for its day's part, `shown` in it; `undated`: somebody has to say when it was taken; `broken`; or `passed`
over, for it is there twice, or another one stands for its day or week."""


@dataclass(frozen=True, slots=True)
class FilmPicture:
    """A picture that a film was offered."""

    name: str
    """Which its source knows it by: the snapshot's id, or the file's path below the folder."""
    state: PictureState
    taken_at: datetime | None = None
    day: str = ""
    """`2026-11-30` in the film's time zone; empty without a time."""
    version: str = ""
    """Differs when the file was replaced."""
    content: bytes | None = None
    """A digest of its bytes; of those that are alike, one is shown."""
    problem: str = ""
    """Why it is not shown, in a sentence."""


@dataclass(frozen=True, slots=True)
class FilmSegment:
    """A part of a film: a day."""

    day: str
    path: str
    """Absolute."""
    samples: bytes
    """As `app.films.growing.Part` has them."""
    start: int = 0
    """Where its frames are in the film; 0 while they are not."""


@dataclass(frozen=True, slots=True)
class FilmRecord:
    """A film as it was when it was last changed."""

    name: str
    width: int
    height: int
    size: int
    """Bytes; 0 while there is none."""
    modified: int
    """Its file's time, in nanoseconds."""
    changing: bool
    """Whether it was being worked on when this was last written."""


class RunningFilmsPart(JournalPart):
    """The record of these films."""

    def begin_film(self, name: str, *, width: int, height: int) -> None:
        """Record that there is to be a film of this size; one that there is keeps its own."""
        statement = "INSERT OR IGNORE INTO running_films (name, width, height) VALUES (?, ?, ?)"
        self.database.do(lambda db: db.execute(statement, (name, width, height)))

    def running_film(self, name: str) -> FilmRecord | None:
        """What is recorded of a film; None when there is nothing."""
        query = "SELECT name, width, height, size, modified, changing FROM running_films WHERE name = ?"

        def select(db: sqlite3.Connection) -> FilmRecord | None:
            row = db.execute(query, (name,)).fetchone()
            return FilmRecord(*row) if row else None

        return self.database.do(select)

    def change_film(self, name: str) -> None:
        """Record that its file is about to be changed."""
        self.database.do(lambda db: db.execute("UPDATE running_films SET changing = 1 WHERE name = ?", (name,)))

    def film_changed(self, name: str, *, size: int, modified: int, starts: Mapping[str, int]) -> None:
        """Record its file as it is now, and where in it the frames of these days are, of all that are elsewhere now."""

        def update(db: sqlite3.Connection) -> None:
            change = "UPDATE running_films SET size = ?, modified = ?, changing = 0 WHERE name = ?"
            db.execute(change, (size, modified, name))
            places = [(start, name, day) for day, start in starts.items()]
            db.executemany("UPDATE film_segments SET start = ? WHERE film = ? AND day = ?", places)

        self.database.do(update)

    def film_segments(self, film: str) -> list[FilmSegment]:
        """Its parts, by their days."""
        query = "SELECT day, located(path), samples, start FROM film_segments WHERE film = ? ORDER BY day"
        return self.database.do(lambda db: [FilmSegment(*row) for row in db.execute(query, (film,))])

    def film_segment(self, film: str, day: str) -> FilmSegment | None:
        """The part of this day; None when there is none."""
        query = "SELECT day, located(path), samples, start FROM film_segments WHERE film = ? AND day = ?"

        def select(db: sqlite3.Connection) -> FilmSegment | None:
            row = db.execute(query, (film, day)).fetchone()
            return FilmSegment(*row) if row else None

        return self.database.do(select)

    def record_segment(self, film: str, segment: FilmSegment, *, shown: Iterable[str] = ()) -> None:
        """Record a part that is on the disk, in the place of its day's last one, with the names of its pictures."""
        values = (film, segment.day, segment.path, segment.samples, segment.start)
        names = [(film, name) for name in shown]

        def replace(db: sqlite3.Connection) -> None:
            db.execute(
                "REPLACE INTO film_segments (film, day, path, samples, start) VALUES (?, ?, stored(?), ?, ?)", values
            )
            db.executemany("UPDATE film_pictures SET state = 'shown', problem = '' WHERE film = ? AND name = ?", names)

        self.database.do(replace)

    def lose_segment(self, film: str, day: str) -> None:
        """Forget a part whose file is gone, so that it is made again from its pictures."""

        def forget(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM film_segments WHERE film = ? AND day = ?", (film, day))
            change = "UPDATE film_pictures SET state = 'waiting' WHERE film = ? AND day = ? AND state = 'shown'"
            db.execute(change, (film, day))

        self.database.do(forget)

    def note_pictures(self, film: str, pictures: Sequence[FilmPicture]) -> None:
        """Record pictures that the film is offered.

        One that is known and not shown is looked at anew. Of two with the same bytes the first one counts.
        """

        def insert(db: sqlite3.Connection) -> None:
            for one in pictures:
                alike = db.execute(
                    "SELECT name FROM film_pictures WHERE film = ? AND content = ? AND name != ? AND state != 'broken'",
                    (film, one.content, one.name),
                ).fetchone()
                state, problem = ("passed", f"It is the same as {alike[0]}.") if alike else (one.state, one.problem)
                taken_at = None if one.taken_at is None else one.taken_at.timestamp()
                db.execute(
                    "INSERT INTO film_pictures (film, name, version, content, taken_at, day, state, problem, seen_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (film, name) DO UPDATE SET "
                    "version = excluded.version, content = excluded.content, taken_at = excluded.taken_at, "
                    "day = excluded.day, state = excluded.state, problem = excluded.problem WHERE state != 'shown'",
                    (film, one.name, one.version, one.content, taken_at, one.day, state, problem, self._clock()),
                )

        self.database.do(insert)

    def date_picture(self, film: str, name: str, taken_at: datetime, *, day: str) -> bool:
        """Record when a picture without a date was taken; False when it has one, or is unknown."""
        change = (
            "UPDATE film_pictures SET taken_at = ?, day = ?, state = 'waiting', problem = '' "
            "WHERE film = ? AND name = ? AND state = 'undated'"
        )
        return self.database.do(lambda db: db.execute(change, (taken_at.timestamp(), day, film, name)).rowcount > 0)

    def judge_picture(self, film: str, name: str, *, problem: str) -> None:
        """Record why it is not shown."""
        change = "UPDATE film_pictures SET state = 'broken', problem = ? WHERE film = ? AND name = ?"
        self.database.do(lambda db: db.execute(change, (problem, film, name)))

    def pass_over(self, film: str, names: Sequence[str], *, problem: str) -> None:
        """Record why these, which wait, are not shown; one that is broken stays so."""
        rows = [(problem, film, name) for name in names]
        change = (
            "UPDATE film_pictures SET state = 'passed', problem = ? WHERE film = ? AND name = ? AND state = 'waiting'"
        )
        self.database.do(lambda db: db.executemany(change, rows))

    def film_pictures(
        self, film: str, *, state: PictureState | None = None, day: str | None = None, limit: int = -1
    ) -> list[FilmPicture]:
        """The pictures that it was offered, in the order in which they are shown."""
        query = (
            "SELECT name, state, taken_at, day, version, content, problem FROM film_pictures WHERE film = ?1 "
            "AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR day = ?3) ORDER BY taken_at, name LIMIT ?4"
        )
        return self.database.do(lambda db: [_picture(row) for row in db.execute(query, (film, state, day, limit))])

    def film_counts(self, film: str) -> dict[str, int]:
        """How many of its pictures are in each state."""
        query = "SELECT state, count(*) FROM film_pictures WHERE film = ? GROUP BY state"
        return self.database.do(lambda db: dict(db.execute(query, (film,))))

    def film_days(self, film: str) -> list[str]:
        """The days whose pictures wait."""
        query = "SELECT DISTINCT day FROM film_pictures WHERE film = ? AND state = 'waiting' ORDER BY day"
        return self.database.do(lambda db: [row[0] for row in db.execute(query, (film,))])

    def days_shown(self, film: str, *, first: str, last: str) -> bool:
        """Whether the film has a picture of any of these days."""
        query = "SELECT 1 FROM film_pictures WHERE film = ? AND state = 'shown' AND day BETWEEN ? AND ? LIMIT 1"
        return self.database.do(lambda db: db.execute(query, (film, first, last)).fetchone() is not None)

    def known_versions(self, film: str) -> dict[str, str]:
        """Each name that it was offered, with the version that was looked at."""
        query = "SELECT name, version FROM film_pictures WHERE film = ?"
        return self.database.do(lambda db: dict(db.execute(query, (film,))))

    def arrived_names(self, film: str, *, since: float) -> list[str]:
        """The names of pictures that came since then (Unix seconds) and are fit to be shown."""
        query = (
            "SELECT name FROM film_pictures WHERE film = ? AND seen_at >= ? AND state NOT IN ('broken', 'undated') "
            "ORDER BY name"
        )
        return self.database.do(lambda db: [row[0] for row in db.execute(query, (film, since))])

    def snapshots_for_film(
        self, film: str, cameras: Sequence[str], *, until: datetime, limit: int = 500
    ) -> list[FilmPicture]:
        """Pictures of these cameras that the film was not offered yet, oldest first; their days are to be filled in."""
        query = (
            "SELECT id, taken_at FROM snapshots WHERE path != '' AND state = 'inspected' AND deleted_at IS NULL "
            f"AND camera IN ({', '.join('?' * len(cameras))}) AND taken_at < ? AND NOT EXISTS "
            "(SELECT 1 FROM film_pictures WHERE film = ? AND name = id) ORDER BY taken_at, seq LIMIT ?"
        )
        values = (*cameras, until.timestamp(), film, limit)
        return self.database.do(
            lambda db: [FilmPicture(row[0], "waiting", moment(row[1])) for row in db.execute(query, values)]
        )


def _picture(row: Sequence[Any]) -> FilmPicture:
    name, state, taken_at, day, version, content, problem = row
    return FilmPicture(
        name, state, None if taken_at is None else moment(taken_at), day or "", version, content, problem
    )
