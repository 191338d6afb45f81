"""The shared index of a journal, which answers in its place; and databases for it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

from app.archives import ArchiveContext
from app.archives.folder import Folder, FolderSettings
from app.index.database import IndexDatabase
from app.index.follow import Follow
from app.index.outlet import Mirror
from app.index.pictures import ElsewherePictures
from app.index.reading import IndexReading
from app.index.rows import local_visit
from app.index.shared import SharedIndex
from app.index.writing import IndexWriting
from app.journal import Filter, Journal
from app.messages import Inspection
from tests.fakes.journal import opened
from tests.postgres import PostgresServer

READS = frozenset(name for name in vars(IndexReading) if not name.startswith("_"))


def an_index(postgres: PostgresServer) -> str:
    """The address of an empty one."""
    schema = f"index_{uuid.uuid4().hex[:12]}"
    postgres.ask(f"CREATE SCHEMA {schema}")
    return f"{postgres.url()}?options=-csearch_path%3D{schema}"


class Mirrored:
    """A journal whose questions are answered by its shared index, which is brought up to date before each."""

    def __init__(self, journal: Journal, database: IndexDatabase) -> None:
        self.journal = journal
        self.index = IndexReading(database)
        self._writing = IndexWriting(database)

    def bring_up_to_date(self) -> None:
        while changes := self.journal.changes():
            self._writing.write(changes)
            self.journal.mirrored(changes)

    def review(self, filter: Filter, *, reviewed: bool) -> int:
        """In the journal, where a visit has another number."""
        return self.journal.review(replace(filter, visit=local_visit(filter.visit)), reviewed=reviewed)

    def __getattr__(self, name: str) -> Any:
        if name not in READS:
            return getattr(self.journal, name)
        method = getattr(self.index, name)

        @wraps(method)
        def asked(*given: Any, **named: Any) -> Any:
            self.bring_up_to_date()
            return method(*given, **named)

        return asked


class Replica:
    """One machine: its journal, its share in the index, and a folder that all machines have mounted."""

    def __init__(self, name: str, url: str, journal: Journal, folder: Path) -> None:
        self.journal = journal
        self.heard: list[Inspection] = []
        self.outcomes: list[str] = []
        self.now = 0.0
        self.database = IndexDatabase(
            url, device_name=name, journal=journal.identity, timeout=2, clock=lambda: self.now
        )
        self.archive = Folder(FolderSettings(dir=folder / "nas"), ArchiveContext("folder"))
        self.dropped: list[str] = []
        self.pictures = ElsewherePictures(folder / name / "elsewhere", [self.archive], dropped=self.dropped.append)
        self.album = SharedIndex(self.database, journal, self.pictures)
        self.follow = Follow(self.database, journal=journal, tell=self.heard.append)
        self.mirror = Mirror(
            self.database,
            journal=journal,
            count=lambda _target, outcome: self.outcomes.append(outcome),
            clock=lambda: self.now,
        )
        journal.mirror(wanted=True)

    def mirror_all(self) -> None:
        for pending in iter(lambda: list(self.mirror.pending()), []):
            for one in pending:
                self.mirror.handle(one)

    def look(self) -> None:
        """As often as its threads do: once."""
        self.mirror_all()
        self.follow.look()
        self.mirror_all()
        self.album.tidy()


@contextmanager
def mirrored(path: Path, *, postgres: PostgresServer, clock: Callable[[], float] = time.time) -> Iterator[Mirrored]:
    database = IndexDatabase(an_index(postgres), device_name="here")
    with opened(path, clock=clock) as journal:
        journal.mirror(wanted=True)
        yield Mirrored(journal, database)
        database.close()
