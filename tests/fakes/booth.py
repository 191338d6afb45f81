"""A booth over a real journal, with a shelf and a mail server that fail when they are told to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.booth.booth import Booth
from app.booth.guests import Guest
from app.booth.jobs import BoothJobs
from app.booth.kept import ANIMATION, KeptAnimations
from app.booth.settings import BoothMailSettings, BoothSettings
from app.jobs import Work
from app.journal import Journal
from app.media.animation import Style, animate
from app.storage.cache import Cache
from app.storage.event_media import EventMedia
from tests.fakes.cameras import jpeg
from tests.fakes.clock import Clock

COLOURS = ("navy", "olive", "teal", "plum", "gold", "coral", "tan", "gray", "red", "lime")
ADA = Guest("Ada", "ada@example.org")


class FakeShelf:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self.puts = 0
        self.error: Exception | None = None

    def put(self, key: str, data: bytes, *, metadata: Mapping[str, str]) -> None:
        self.puts += 1
        if self.error:
            raise self.error
        self.kept[key] = (data, metadata)

    def link(self, key: str, *, seconds: float) -> str:
        return f"https://shelf.example/{key}?{seconds:.0f}"

    def delete(self, key: str) -> None:
        if self.error:
            raise self.error
        self.kept.pop(key, None)


class FakeMailer:
    """Remembers what it was to send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.error: Exception | None = None

    def send(self, **mail: str) -> None:
        if self.error:
            raise self.error
        self.sent.append(mail)


class BoothHouse:
    """The booth, and what does its jobs."""

    def __init__(self, folder: Path, journal: Journal, **settings: Any) -> None:
        self.clock = Clock()
        self.journal = journal
        self.media = EventMedia(folder / "media")
        self.now = folder / "booth-now"
        self.shelf = FakeShelf()
        self.mailer = FakeMailer()
        given = {
            "enabled": True,
            "mail": BoothMailSettings(host="mail.example", sender="booth@example.org"),
            **settings,
        }
        self.settings = BoothSettings(**given)
        self.booth = self.make()
        self.booth.open()
        jobs = BoothJobs(
            self.settings,
            shelf=self.shelf,
            file=lambda guest: self.media.path(guest, ANIMATION),
            mailer=self.mailer,  # type: ignore[arg-type]
        )
        self.work = Work([jobs], journal=journal)

    def make(self) -> Booth:
        return Booth(
            self.settings,
            kept=KeptAnimations(
                self.settings,
                journal=self.journal,
                cache=Cache(self.media.root.parent / "cache", zone=UTC),
                media=self.media,
                shelf=self.shelf,
                page=lambda guest, _: f"https://home.example/booth/guests/{guest}",
                now=lambda: datetime.fromtimestamp(self.clock(), UTC),
            ),
            now_folder=self.now,
            animate=lambda pictures, path: animate(pictures, path, "gif", Style(size=160)),
            clock=self.clock,
        )

    def pictures(self, guest: str) -> None:
        """Take all of them."""
        for position in range(self.settings.pictures):
            self.booth.picture(guest, position, jpeg(160, 120, color=COLOURS[position]))

    def keep(self, who: Guest = ADA, *, language: str = "en") -> str:
        """A guest from the first touch until theirs is kept; returns their id."""
        guest = self.booth.start().guest
        self.pictures(guest)
        self.booth.on("keep", guest)
        self.booth.keep(guest, who, language=language)
        return guest

    def leave(self, guest: str) -> None:
        """The guest goes."""
        self.booth.on("cancel", guest)

    def do_jobs(self) -> None:
        """All that are due."""
        while jobs := list(self.work.pending()):
            for job in jobs:
                self.work.handle(job)
