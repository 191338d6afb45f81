"""Types of query parameters: text that is parsed strictly, and described as what it means."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from app.journal.entries import PageCursor

_LARGEST = 999_999_999
"""Whole numbers have nine digits at most."""
_CURSOR = r"-?[0-9]{1,12}(\.[0-9]{1,17})?_[0-9]{1,18}"
_HOURS = r"([01]?[0-9]|2[0-3])-([01]?[0-9]|2[0-4])"
_LOST_PLUS = re.compile(r"(?<=\d) (\d\d:?\d\d)$")
"""A space was a plus before the address was read."""

_FIRST, _LAST = (edge.replace(tzinfo=UTC) for edge in (datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001
"""Between them a moment has a name in every time zone."""

DATE_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}


def _flag(text: object) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _switch(text: object) -> bool:
    return _flag({"1": "true", "0": "false"}.get(str(text), text))


def _whole(text: object) -> int:
    if not isinstance(text, str) or not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ValueError("must be a whole number")
    return int(text)


def _number(text: object) -> float:
    if not isinstance(text, str) or not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,400})?([eE][-+]?[0-9]{1,3})?", text):
        raise ValueError("must be a number")
    return float(text)


def _day(text: object) -> date:
    if isinstance(text, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError("must be a day such as 2026-11-21")


def _hours(text: object) -> tuple[int, int]:
    if isinstance(text, str) and (found := re.fullmatch(_HOURS, text)):
        return int(found[1]), int(found[2]) % 24
    raise ValueError("must be two hours of the day such as 22-6")


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", str(text)))
    except ValueError:
        raise ValueError("must be a moment such as 2026-11-21T14:00:00Z") from None
    if moment.tzinfo and not _FIRST < moment < _LAST:
        raise ValueError("must be a moment of the years 1 to 9999 in every time zone")
    return moment


def _position(text: object) -> PageCursor | datetime:
    if re.fullmatch(_CURSOR, str(text)):
        taken_at, _, seq = str(text).partition("_")
        return PageCursor(float(taken_at), int(seq))
    try:
        return _moment(text)
    except ValueError:
        raise ValueError("must be the `next` of a page, or a moment such as 2026-11-21T14:00:00Z") from None


Text = Annotated[str, StringConstraints(max_length=200)]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Switch = Annotated[
    bool, BeforeValidator(_switch), WithJsonSchema({"type": "string", "enum": ["true", "false", "1", "0"]})
]
"""A flag of an address that people write by hand."""
Whole = Annotated[int, BeforeValidator(_whole)]
Ordinal = Annotated[int, Field(ge=0, le=_LARGEST), BeforeValidator(_whole)]
"""The number of a visit or a row."""
Number = Annotated[float, BeforeValidator(_number)]
Day = Annotated[date, BeforeValidator(_day)]
Hours = Annotated[
    tuple[int, int],
    BeforeValidator(_hours),
    WithJsonSchema({"type": "string", "pattern": f"^{_HOURS}$", "examples": ["22-6"]}),
]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema(DATE_TIME)]
"""ISO 8601; without an offset it is the home's time, see `at_home`."""
Position = Annotated[
    Any,
    BeforeValidator(_position),
    WithJsonSchema({"anyOf": [DATE_TIME, {"type": "string", "pattern": f"^{_CURSOR}$"}]}),
]


def cursor(place: PageCursor) -> str:
    """A position in the album, as an address carries it."""
    return f"{place.taken_at!r}_{place.seq}"


def at_home(moment: datetime, zone: tzinfo) -> datetime:
    """The moment in UTC or its own offset: in the home's zone where it has none."""
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def midnight(day: date, zone: tzinfo) -> datetime:
    """When this day begins at home."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def day_after(day: date, zone: tzinfo) -> datetime:
    """When this day ends at home."""
    return datetime.max.replace(tzinfo=UTC) if day == date.max else midnight(day + timedelta(days=1), zone)
