"""What the album's templates get: entries as cards, with all texts and addresses ready."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from urllib.parse import quote

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from app.journal import Visit
from app.journal.entries import Entry
from app.messages import PERSON, Box, Label
from app.naming import slug
from app.web.album import texts
from app.web.album.languages import ENGLISH, counted, current, tr
from app.web.album.page_query import PageQuery
from app.web.album.texts import Explanation

DELAY_WORTH_SAYING_S = 3.0
"""Seconds from the trigger to the picture; less is as it should be."""
CHIPS = 4
"""Labels on a card, as far as there is room; the viewer has them all."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A label that filters."""

    name: str
    confidence: str
    """`97 %`; empty for a user's label."""
    url: str
    person: bool


@dataclass(frozen=True, slots=True)
class Card:
    """An entry as the grid shows it."""

    id: str
    url: str
    thumbnail: str
    """Address of the thumbnail; empty when there is none."""
    preview: str
    width: int
    height: int
    camera: str
    camera_url: str
    when: Moment
    delay: str
    alt: str
    chips: tuple[Chip, ...]
    people: str
    """How many, in words; `people` where nobody counted them."""
    crowd: str
    """The same, where there are several."""
    starred: bool
    moves: str
    """Address of its animation; empty where there is one picture."""
    reviewed: bool
    visit: int
    """Number of the visit that it belongs to."""
    rank: str
    """How good a picture is to stand for its visit: the higher, the better."""
    review: str
    """Where to say that somebody has looked at it, below the site's prefix."""
    video: str
    """Address of the video that the camera sent; empty where it sent none."""
    missing: bool
    """Whether its file should be here and is not."""
    trouble: Explanation | None
    focus: int
    """Where across the picture its main content is, 0 (left) to 4 (right): the grid's crop keeps it."""
    said: str
    """A sentence about the picture; empty while there is none."""
    boxes: Markup
    """JSON: `[[name, percent, [[left, top, width, height], ...]], ...]` in fractions of the picture; see `_sides`. It
    may stand within single quotes; empty where there are none."""
    is_visit: bool = False
    """Whether it stands for all pictures of its visit that match, and not for one."""
    pictures: int = 1
    """Of its visit, as far as they match."""
    pictures_url: str = ""
    """All of them; empty where there is one."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in the home's time zone."""

    iso: str
    day: str
    """`2026-11-21`"""
    day_text: str
    time: str
    """`14:03:22`"""
    short: str
    """`14:03`"""
    long: str
    """`Saturday, 21 November 2026, 14:03:22`"""


class Viewer:
    """Turns entries into what templates show, for one home."""

    def __init__(self, *, path: Callable[[str], str], zone: tzinfo, now: Callable[[], datetime]) -> None:
        """`path` puts the site's prefix before a path."""
        self._path = path
        self._zone = zone
        self._now = now

    def cards(self, entries: Iterable[Entry], query: PageQuery) -> list[Card]:
        """In the same order; their links stay within the query."""
        today = self.today()
        string = query.string()
        chip_urls: dict[str, str] = {}
        return [self._card(entry, query, string=string, today=today, urls=chip_urls) for entry in entries]

    def visit_cards(self, visits: Iterable[Visit], query: PageQuery) -> list[Card]:
        """A card for each visit, which shows its best picture."""
        visits = [*visits]
        cards = self.cards((visit.best for visit in visits), query)
        return [self._of_visit(card, visit, query) for card, visit in zip(cards, visits, strict=True)]

    def _of_visit(self, card: Card, visit: Visit, query: PageQuery) -> Card:
        if visit.pictures > 1:
            newest = self.moment(visit.last)
            card = replace(
                card,
                when=replace(newest, long=card.when.long),  # what is said of the picture is about that one
                trouble=_outage(card.trouble, visit),
                pictures=visit.pictures,
                pictures_url=query.address(visit=str(visit.number)),
            )
        return replace(card, is_visit=True, reviewed=visit.reviewed, review=f"/visits/{visit.number}/review")

    def card(self, entry: Entry, query: PageQuery) -> Card:
        return self.cards([entry], query)[0]

    def chips(self, labels: Iterable[Label], query: PageQuery, urls: dict[str, str] | None = None) -> tuple[Chip, ...]:
        """A chip for each label; `urls` caches addresses from card to card."""
        known: dict[str, str] = {} if urls is None else urls
        return tuple(self._chip(label, query, known) for label in labels)

    def today(self) -> date:
        return self._now().astimezone(self._zone).date()

    def moment(self, moment: datetime, today: date | None = None) -> Moment:
        local = moment.astimezone(self._zone)
        day = local.date()
        time = f"{local:%H:%M:%S}"
        return Moment(
            iso=local.isoformat(timespec="seconds"),
            day=day.isoformat(),
            day_text=texts.day(day, today or self.today()),
            time=time,
            short=time[:5],
            long=f"{texts.date_of(day)} {day.year}, {time}",
        )

    def camera_url(self, key: str) -> str:
        return self._path(f"/cameras/{quote(slug(key))}")

    def _card(self, entry: Entry, query: PageQuery, *, string: str, today: date, urls: dict[str, str]) -> Card:
        snapshot = entry.inspection.snapshot
        labels = best(entry)
        when = self.moment(snapshot.taken_at, today)
        api = self._path(f"/api/snapshots/{entry.id}")
        missing = bool(snapshot.path) and not entry.owner and not os.path.lexists(snapshot.path)
        shown = bool(snapshot.path) and not missing
        trouble = texts.missing() if missing else texts.explain(entry)
        return Card(
            id=entry.id,
            url=self._path(f"/snapshots/{entry.id}{string}"),
            thumbnail=f"{api}/thumbnail" if shown else "",
            preview=f"{api}/preview" if shown else "",
            width=snapshot.width or 16,
            height=snapshot.height or 9,
            camera=snapshot.label,
            camera_url=self.camera_url(snapshot.camera),
            when=when,
            delay=texts.duration(snapshot.delay_s) if snapshot.path and snapshot.delay_s > DELAY_WORTH_SAYING_S else "",
            alt=f"{snapshot.label}, {when.day_text} {when.short}: {seen(entry)}",
            chips=self.chips(labels[:CHIPS], query, urls),
            people=(people := _people(entry)),
            crowd=people if entry.corrected is None and entry.inspection.detection.person_count > 1 else "",
            starred=entry.starred,
            reviewed=entry.reviewed,
            visit=entry.visit,
            rank=f"{entry.has_person + 0.9 * max((sure for _, sure in entry.confidences), default=0):.4f}",
            review=f"/snapshots/{entry.id}/review",
            moves=f"{api}/animation?format=gif" if shown and snapshot.frames > 1 else "",
            video=f"{api}/video" if snapshot.video else "",
            missing=missing,
            trouble=trouble if trouble and (trouble.alarming or not snapshot.path) else None,
            focus=focus(labels),
            said=entry.description,
            boxes=boxes(entry.inspection.detection.labels),
        )

    def _chip(self, label: Label, query: PageQuery, urls: dict[str, str]) -> Chip:
        url = urls.get(label.name)
        if url is None:
            url = urls[label.name] = query.address(label=label.name)
        confidence = f"{label.confidence:.0%}".replace("%", "\N{NARROW NO-BREAK SPACE}%") if label.confidence else ""
        return Chip(label.name, confidence, url, label.name.casefold() == PERSON.casefold())


def _outage(trouble: Explanation | None, visit: Visit) -> Explanation | None:
    """Of failed tries: how many there are, and why the last one failed."""
    if trouble is None or not visit.best.inspection.snapshot.problem:
        return trouble
    return trouble._replace(title=counted(visit.pictures, "failed try", "failed tries"))


def best(entry: Entry) -> list[Label]:
    """The labels that count, people first and then the surest; a user's have confidence 0."""
    detected = {label.name.casefold(): label for label in entry.inspection.detection.labels}
    if entry.corrected is None:
        labels = list(entry.inspection.detection.labels)
    else:
        labels = [detected.get(name.casefold(), Label(name, 0.0)) for name in entry.corrected]
    return sorted(labels, key=lambda label: (label.name.casefold() != PERSON.casefold(), -label.confidence))


def seen(entry: Entry) -> str:
    """The picture's labels, in words."""
    trouble = texts.explain(entry)
    if not entry.inspection.snapshot.path and trouble:
        return _within(trouble.title)
    things = [name for name in entry.labels if name.casefold() != PERSON.casefold()]
    words = [people] if (people := _people(entry)) else []
    film = [tr("video")] if entry.inspection.snapshot.video else []
    return ", ".join([*film, *words, *things]) or (_within(trouble.title) if trouble else tr("nothing seen"))


def _within(title: str) -> str:
    """A title within a sentence; German keeps the capitals of its nouns."""
    return title.lower() if current() == ENGLISH else title


def boxes(labels: Iterable[Label]) -> Markup:
    """The boxes of labels for the overlay, as in `Card.boxes`."""
    found = [
        [label.name, round(label.confidence * 100), [_sides(box) for box in label.boxes]]
        for label in labels
        if label.boxes
    ]
    return htmlsafe_json_dumps(found, separators=(",", ":")) if found else Markup()


def _sides(box: Box) -> list[float]:
    """Its sides, and a 1 behind them for what stands still."""
    return [*(round(side, 4) for side in (box.left, box.top, box.width, box.height)), *([1] if box.still else [])]


def focus(labels: Iterable[Label]) -> int:
    """The fifth of the picture's width with the middle of the first of these boxes; the middle one without boxes."""
    for label in labels:
        for box in label.boxes:
            return min(4, max(0, int((box.left + box.width / 2) * 5)))
    return 2


def camera_labels(cameras: Mapping[str, object], keys: Iterable[str], former: Callable[[str], str]) -> dict[str, str]:
    """The name for people of each of these cameras; `former` knows that of one that is no longer configured."""
    return {key: str(getattr(cameras[key], "label", key)) if key in cameras else former(key) for key in keys}


def _people(entry: Entry) -> str:
    if entry.corrected is not None:
        return tr("people") if entry.has_person else ""
    count = entry.inspection.detection.person_count
    return counted(count, "person", "people") if count else ""
