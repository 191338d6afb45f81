"""Which of the album's pictures go into a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.films.recipe import Recipe
from app.journal.entries import Entry, Filter, PageCursor
from pylib.errors import Permanent

PAGE = 200
"""Entries that are read at once."""
HORIZON = -0.833
"""Degrees over the horizon at which the sun rises and sets: its upper edge, seen through the air."""

Place = tuple[float, float]
"""Latitude and longitude in degrees."""
Page = Callable[[Filter, PageCursor | None, int], Sequence[Entry]]
"""So many entries that match and come behind this one, the oldest first."""


class SelectionError(Permanent):
    """These pictures cannot be chosen; `code` is `no_place`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pictures: a recipe's, of a span, and what somebody searched for."""

    recipe: Recipe
    search: Filter = field(default_factory=Filter)
    """With the span."""

    @property
    def filter(self) -> Filter:
        """The journal's part of it."""
        cameras, search = self.recipe.cameras, self.search
        return replace(
            search,
            camera=cameras[0] if len(cameras) == 1 else search.camera,
            person=True if self.recipe.filter == "persons" else search.person,
            starred=True if self.recipe.starred else search.starred,
        )

    def as_map(self) -> dict[str, Any]:
        """For a job's arguments."""
        search = {name: value for name, value in asdict(self.search).items() if name not in ("since", "until")}
        search["cameras"] = sorted(self.search.cameras)
        since, until = (moment.timestamp() if moment else None for moment in (self.search.since, self.search.until))
        return {"recipe": self.recipe.model_dump(mode="json"), "search": search, "since": since, "until": until}

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Wanted:
        """What `as_map` gave."""
        since, until = (
            datetime.fromtimestamp(arguments[name], UTC) if arguments[name] is not None else None
            for name in ("since", "until")
        )
        given = arguments["search"]
        cameras, ids = frozenset(given.get("cameras", ())), tuple(given.get("ids", ()))
        search = Filter(**{**given, "cameras": cameras, "ids": ids}, since=since, until=until)
        return cls(Recipe.model_validate(arguments["recipe"]), search)


@dataclass(slots=True)
class Chosen:
    """How far a selection is; survives a restart as a map."""

    last: dict[str, float] = field(default_factory=dict)
    """Camera -> when its last chosen picture was taken (Unix seconds)."""
    cursor: PageCursor | None = None
    evicted: int = 0
    """Pictures that would have been chosen and are not in the cache any more."""

    def as_map(self) -> dict[str, Any]:
        return {"last": dict(self.last), "cursor": list(self.cursor) if self.cursor else None, "evicted": self.evicted}

    @classmethod
    def of(cls, kept: Any) -> Chosen:
        cursor = PageCursor(*kept["cursor"]) if kept["cursor"] else None
        return cls(dict(kept["last"]), cursor, kept["evicted"])


class Selection:
    """Goes through the album from the oldest picture on, in memory that does not grow."""

    def __init__(self, page: Page, *, zone: tzinfo, place: Place | None = None) -> None:
        """`place`: of the home, for daylight."""
        self._page = page
        self._zone = zone
        self._place = place

    def check(self, recipe: Recipe) -> None:
        """Raise `SelectionError` for daylight without a place."""
        if recipe.filter == "daylight" and self._place is None:
            raise SelectionError("no_place", "daylight needs home.latitude and home.longitude in the configuration")

    def pictures(self, wanted: Wanted, chosen: Chosen) -> Iterator[Entry]:
        """The entries behind `chosen`, which moves on with each; their pictures were there when they were read.

        Raises `SelectionError`, `pylib.sqlite.DatabaseUnavailable`.
        """
        self.check(wanted.recipe)
        matching = wanted.filter
        while entries := self._page(matching, chosen.cursor, PAGE):
            for entry in entries:
                chosen.cursor = entry.place
                if not self._takes(entry, wanted.recipe, chosen):
                    continue
                if not entry.inspection.snapshot.path:
                    chosen.evicted += 1
                    continue
                chosen.last[entry.inspection.camera] = entry.inspection.snapshot.taken_at.timestamp()
                yield entry

    def _takes(self, entry: Entry, recipe: Recipe, chosen: Chosen) -> bool:
        snapshot = entry.inspection.snapshot
        if not (snapshot.path or snapshot.size) or (recipe.cameras and snapshot.camera not in recipe.cameras):
            return False
        last = chosen.last.get(snapshot.camera)
        if last is not None and snapshot.taken_at.timestamp() - last < recipe.every:
            return False
        if recipe.filter == "hourly":
            return last is None or self._hour(datetime.fromtimestamp(last, self._zone)) != self._hour(snapshot.taken_at)
        return recipe.filter != "daylight" or self._is_day(snapshot.taken_at)

    def _hour(self, moment: datetime) -> tuple[object, ...]:
        local = moment.astimezone(self._zone)
        return local.date(), local.hour, local.utcoffset()

    def _is_day(self, moment: datetime) -> bool:
        if self._place is None:
            return False
        from astral import Observer
        from astral.sun import elevation

        return elevation(Observer(*self._place), moment) > HORIZON
