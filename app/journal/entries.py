"""Entries of the album, and the filter that selects them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from app.journal.album_order import place
from app.journal.time_of_day import HomeHours
from app.messages import PERSON, Inspection
from pylib.text import normalised

MOST_WORDS = 8
"""As many words are searched for; further ones are ignored."""

_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")


class PageCursor(NamedTuple):
    """An entry's position in the album, which is sorted by it, newest first."""

    taken_at: float
    """Unix seconds, to the millisecond."""
    seq: int

    @property
    def number(self) -> int:
        """The same as one number, as in `snapshots.place`."""
        return place(self.taken_at, self.seq)


@dataclass(frozen=True, slots=True)
class Correction:
    """A user's labels for a picture; None withdraws them, and the detector's answer counts again."""

    labels: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A snapshot as the album shows it: its detection, and people's changes to it."""

    inspection: Inspection
    seq: int
    starred: bool = False
    note: str = ""
    corrected: tuple[str, ...] | None = None
    """A user's labels for the picture, beside the detector's; None without a correction."""
    archived_in: tuple[str, ...] = ()
    """The archives that have confirmed its picture, by name."""
    reviewed: bool = False
    """Whether somebody has looked at it."""
    visit: int = 0
    """Number of what its camera saw within a minute; 0 before it is an event."""
    owner: str = ""
    """The other replica whose it is; empty for this one's."""
    dated_name: str = field(default="", compare=False)
    """`Snapshot.dated_name` of one that comes from the shared index, also where its picture is no longer in the
    owner's cache; empty in the journal."""

    @property
    def id(self) -> str:
        return self.inspection.id

    @property
    def place(self) -> PageCursor:
        return PageCursor(int(self.inspection.snapshot.taken_at.timestamp() * 1000 + 0.5) / 1000, self.seq)

    @property
    def description(self) -> str:
        """A sentence about the picture; empty while there is none."""
        return self.inspection.description

    @property
    def labels(self) -> tuple[str, ...]:
        """The picture's labels: as corrected, or else as detected."""
        if self.corrected is not None:
            return self.corrected
        return tuple(label.name for label in self.inspection.detection.labels)

    @property
    def confidences(self) -> tuple[tuple[str, float], ...]:
        """Each of these labels with its confidence, 0..1; corrected ones have 1."""
        if self.corrected is not None:
            return tuple((name, 1.0) for name in self.corrected)
        return tuple((label.name, label.confidence) for label in self.inspection.detection.labels)

    @property
    def has_person(self) -> bool:
        """Whether a person is in the picture, as corrected or else as detected."""
        if self.corrected is not None:
            return PERSON.casefold() in _folded(self.corrected)
        return self.inspection.detection.person_count > 0


@dataclass(frozen=True, slots=True)
class Deleted:
    """What is left to do of a snapshot that was deleted."""

    path: str
    """Of its picture in the cache; empty when there was none."""
    video: str = ""
    """Of its video; empty when there was none."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is of some entries."""

    count: int
    size: int
    """Bytes of their pictures in the cache, and of what is beside them."""
    starred: int = 0
    archived: Mapping[str, int] = field(default_factory=dict)
    """Archive -> how many of the pictures it has confirmed."""
    last: int = 0
    """The largest `seq` among them."""


class Standing(NamedTuple):
    """Where an entry stands among those that match a filter."""

    number: int
    """From 1 on, newest first."""
    total: int


class HeatCount(NamedTuple):
    """How many snapshots there were in a quarter of an hour."""

    start: float
    """Unix seconds."""
    snapshots: int
    persons: int
    """Those of the snapshots with a person."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects entries: those that match everything that is set."""

    camera: str = ""
    """A device key."""
    cameras: frozenset[str] = frozenset()
    """Device keys of those that whoever asks may see; all when empty."""
    label: str = ""
    """A label's name in any case."""
    min_confidence: float = 0.0
    """0..1, of that label, or of any one where none is named. A corrected label has 1."""
    since: datetime | None = None
    """Taken then or later."""
    until: datetime | None = None
    """Taken earlier than that."""
    person: bool | None = None
    starred: bool | None = None
    problem: bool | None = None
    """Whether something went wrong: there is no picture, or no detection."""
    reviewed: bool | None = None
    """Whether somebody has looked at it."""
    visit: int = 0
    """Of this visit."""
    hours: HomeHours | None = None
    """Taken in these hours of the day."""
    q: str = ""
    """Words, or beginnings of words, in labels, cameras' names, notes and descriptions; all of them have to match."""
    ids: tuple[str, ...] = ()
    """One of these; any one where there are none."""

    def __bool__(self) -> bool:
        """Whether it excludes anything of what the reader may see."""
        return replace(self, cameras=frozenset()) != Filter()

    @property
    def words(self) -> tuple[str, ...]:
        """The words to search for, as typed; empty where nothing that was typed is a word."""
        return tuple(dict.fromkeys(_WORD.findall(self.q)))[:MOST_WORDS]

    def sees(self, entry: Entry) -> bool:
        """Whether it is of a camera that whoever asks may see."""
        return not self.cameras or entry.inspection.camera in self.cameras

    def matches(self, entry: Entry) -> bool:
        """Whether `Journal.page` selects this entry, unless it is deleted or grouped into another."""
        inspection = entry.inspection
        return (
            (not self.ids or entry.id in self.ids)
            and (not self.camera or inspection.camera == self.camera)
            and self.sees(entry)
            and self._has_label(entry)
            and (self.since is None or inspection.snapshot.taken_at >= self.since)
            and (self.until is None or inspection.snapshot.taken_at < self.until)
            and (self.person is None or entry.has_person == self.person)
            and (self.starred is None or entry.starred == self.starred)
            and (self.problem is None or bool(inspection.problem) == self.problem)
            and (self.reviewed is None or entry.reviewed == self.reviewed)
            and (not self.visit or entry.visit == self.visit)
            and (self.hours is None or self.hours.has(inspection.snapshot.taken_at))
            and self._has_words(entry)
        )

    def _has_label(self, entry: Entry) -> bool:
        """Whether one label is both the one that is searched for and sure enough."""
        if not self.label and not self.min_confidence:
            return True
        name = self.label.casefold()
        return any(
            confidence >= self.min_confidence and (not name or label.casefold() == name)
            for label, confidence in entry.confidences
        )

    def _has_words(self, entry: Entry) -> bool:
        if not self.words:
            return True
        snapshot = entry.inspection.snapshot
        there = words(" ".join((*entry.labels, snapshot.camera, snapshot.label, entry.note, entry.description)))
        return all(any(word.startswith(beginning) for word in there) for beginning in words(" ".join(self.words)))


def words(text: str) -> list[str]:
    """The words of a text, without case and accents: as the full-text search splits it."""
    if text.isascii():
        return _WORD.findall(text.lower())
    return _WORD.findall("".join(_plain(sign) for sign in text if not "\u0300" <= sign <= "\u036f"))


def _plain(sign: str) -> str:
    """A sign as SQLite's tokenizer `unicode61 remove_diacritics 2` compares it: Latin letters alone lose accents."""
    base = normalised(sign, "NFD")[0]
    letter = base if base.isascii() else sign
    folded = letter.casefold()
    return folded if len(folded) == 1 else letter.lower()


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}
