"""The query of a page's address: its parameters, their meaning, and links that keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple
from urllib.parse import urlencode

from app.journal.entries import Filter
from app.web.access.caller import Caller
from app.web.album import texts
from app.web.album.languages import tr
from app.web.album.search_words import words_and_day
from app.web.api import request_models, validation
from app.web.api.filters import filter_of
from app.web.context import WebContext

FILTERS = tuple(request_models.FilterParams.model_fields)
"""The parameters that select entries, by their names in the API."""

BY = "by"
"""The parameter that says what a card is: a visit or a picture."""

GRIDS = ("visit", "picture")
NIGHT = "22-6"
NO_TIME: dict[str, str | None] = {"day": None, "since": None, "until": None}


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
    by_visit: bool = False
    """Whether a card is all that a camera saw within a minute."""

    @property
    def today(self) -> date:
        return datetime.now(self.zone).date()

    @property
    def presets(self) -> list[ActiveFilter]:
        """Times that people often look at, but those that are set."""
        wanted = (
            (tr("Today"), "day", self.today.isoformat()),
            (tr("Yesterday"), "day", (self.today - timedelta(days=1)).isoformat()),
            (tr("7 days"), "since", self._week),
            (tr("Nights"), "hours", NIGHT),
        )
        return [
            ActiveFilter(text, self.address(**{**({} if name == "hours" else NO_TIME), name: value}))
            for text, name, value in wanted
            if self.values.get(name) != value
        ]

    @property
    def _week(self) -> str:
        return f"{self.today - timedelta(days=6)}T00:00"

    def string(self, **changes: str | None) -> str:
        """`?...` with these parameters changed, or removed for None; empty when none is left."""
        changed = {name: value for name, value in {**self.values, **changes}.items() if value}
        return "?" + urlencode(changed) if changed else ""

    def address(self, **changes: str | None) -> str:
        """The grid with this query, changed as in `string`."""
        return self.home + self.string(**changes)

    def active_filters(self, label: Callable[[str], str]) -> list[ActiveFilter]:
        """The active filters in words; `label`: a camera's name for people, of its key."""
        chosen = self.filter
        words = {
            "q": tr("“{text}”", text=chosen.q),
            "camera": label(chosen.camera),
            "label": chosen.label,
            "confidence": tr("at least {percent}% sure", percent=f"{chosen.min_confidence * 100:.0f}"),
            "day": _day_in_words(self.values.get("day", ""), self.today),
            "person": tr("People") if chosen.person else tr("No people"),
            "starred": tr("Starred") if chosen.starred else tr("Not starred"),
            "problem": tr("Problems") if chosen.problem else tr("Without problems"),
            "reviewed": tr("Reviewed") if chosen.reviewed else tr("Not reviewed"),
            "visit": tr("One visit"),
            "hours": _hours_in_words(self.values.get("hours", "")),
        }
        found = [
            ActiveFilter(text, self.address(**{name: None})) for name, text in words.items() if name in self.values
        ]
        if "since" in self.values or "until" in self.values:
            found.append(ActiveFilter(self._span(), self.address(since=None, until=None)))
        return found

    def _span(self) -> str:
        if self.values.get("since") == self._week and "until" not in self.values:
            return tr("Last 7 days")
        since, until = (
            moment.astimezone(self.zone) if moment and name in self.values else None
            for name, moment in (("since", self.filter.since), ("until", self.filter.until))
        )
        if since and until:
            short = until - since <= timedelta(days=1)
            return f"{_clock(since)} \N{EN DASH} " + (f"{until:%H:%M}" if short else _clock(until))
        if since:
            return tr("from {time}", time=_clock(since))
        return tr("before {time}", time=_clock(until)) if until else ""


async def read(parameters: Mapping[str, str], context: WebContext, caller: Caller, *, by: str = "visit") -> PageQuery:
    """The query in an address, within what the caller may see. A day among the words of the search becomes the day.

    `by`: what a card is, unless the address says it. Raises `BadRequest`, and `NotFound` for a camera that never was,
    or is none of the caller's.
    """
    values = {name: text for name in FILTERS if (text := parameters.get(name, "").strip())}
    if "q" in values and "day" not in values:
        values["q"], day = words_and_day(values["q"], datetime.now(context.zone).date())
        values |= {"day": day.isoformat()} if day else {}
        values = {name: text for name, text in values.items() if text}
    asked = validation.checked(request_models.FilterParams, dict(values), "bad_parameter")
    chosen = await filter_of(asked, context, caller)
    if chosen.camera:
        values["camera"] = chosen.camera
    if parameters.get(BY) in GRIDS:
        by = values[BY] = parameters[BY]
    by_visit = by != "picture" and not chosen.visit
    return PageQuery(values, chosen, context.zone, context.site.path("/"), by_visit=by_visit)


def _clock(moment: datetime) -> str:
    return f"{texts.short_date(moment)}, {moment:%H:%M}"


def _day_in_words(day: str, today: date) -> str:
    if not day:
        return ""
    found = date.fromisoformat(day)
    near = {today: tr("Today"), today - timedelta(days=1): tr("Yesterday")}
    return near.get(found) or texts.short_day(found)


def _hours_in_words(hours: str) -> str:
    first, _, last = hours.partition("-")
    return tr("Nights") if hours == NIGHT else f"{first}:00 \N{EN DASH} {last}:00"
