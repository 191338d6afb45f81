"""The query of a page's address: its parameters, their meaning, and links that keep them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple
from urllib.parse import urlencode

from app.journal.entries import Filter
from app.web.api import request_models, validation
from app.web.api.filters import filter_of
from app.web.context import WebContext

FILTERS = tuple(request_models.FilterParams.model_fields)
"""The parameters that select entries, by their names in the API."""

MAP = "heat"
"""The parameter with the last day of the heat map; links keep it, too."""


class ActiveFilter(NamedTuple):
    """A filter that is set, in words for people."""

    text: str
    url: str
    """The same page without it."""


@dataclass(frozen=True, slots=True)
class PageQuery:
    """The parameters of one page. Unknown ones are ignored."""

    values: Mapping[str, str]
    """Only those that are set, by name."""
    filter: Filter
    zone: tzinfo
    home: str
    """Address of the grid."""

    def string(self, **changes: str | None) -> str:
        """`?...` with these parameters changed, or removed for None; empty when none is left."""
        changed = {name: value for name, value in {**self.values, **changes}.items() if value}
        return "?" + urlencode(changed) if changed else ""

    def address(self, **changes: str | None) -> str:
        """The grid with this query, changed as in `string`."""
        return self.home + self.string(**changes)

    def active_filters(self, labels: Mapping[str, str]) -> list[ActiveFilter]:
        """The active filters in words; `labels` are the cameras' names for people."""
        chosen = self.filter
        words = {
            "q": f"“{chosen.q}”",
            "camera": labels.get(chosen.camera, chosen.camera),
            "label": chosen.label,
            "confidence": f"at least {chosen.min_confidence:.0%} sure",
            "day": _day_in_words(self.values.get("day", "")),
            "person": "People" if chosen.person else "No people",
            "starred": "Starred" if chosen.starred else "Not starred",
            "problem": "Problems" if chosen.problem else "Without problems",
        }
        found = [
            ActiveFilter(text, self.address(**{name: None})) for name, text in words.items() if name in self.values
        ]
        if "since" in self.values or "until" in self.values:
            found.append(ActiveFilter(self._span(), self.address(since=None, until=None)))
        return found

    def _span(self) -> str:
        since, until = (
            moment.astimezone(self.zone) if moment and name in self.values else None
            for name, moment in (("since", self.filter.since), ("until", self.filter.until))
        )
        if since and until:
            short = until - since <= timedelta(days=1)
            return f"{_clock(since)} \N{EN DASH} " + (f"{until:%H:%M}" if short else _clock(until))
        return f"from {_clock(since)}" if since else f"before {_clock(until)}" if until else ""


async def read(parameters: Mapping[str, str], context: WebContext) -> PageQuery:
    """The query in an address. Raises `BadRequest`, and `NotFound` for a camera that never was."""
    values = {name: text for name in FILTERS if (text := parameters.get(name, "").strip())}
    chosen = await filter_of(validation.checked(request_models.FilterParams, dict(values), "bad_parameter"), context)
    if chosen.camera:
        values["camera"] = chosen.camera
    if MAP in parameters:
        values[MAP] = parameters[MAP]
    return PageQuery(values, chosen, context.zone, context.site.path("/"))


def _clock(moment: datetime) -> str:
    return f"{moment.day} {moment:%b, %H:%M}"


def _day_in_words(day: str) -> str:
    if not day:
        return ""
    found = date.fromisoformat(day)
    return f"{found:%a} {found.day} {found:%b}"
