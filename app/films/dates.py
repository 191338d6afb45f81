"""When a picture was taken that lies in a folder for years: what its EXIF says, or else its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo

from app.uploads.capture_time import exif_times, named_times, resolve

AHEAD = timedelta(days=1)
"""What lies farther in the future is no date at which a picture was taken."""
NOON = time(12)
"""The time of a picture whose name has a day and no time."""

_DAY = re.compile(r"(?<!\d)(20\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")


def taken_at(name: str, picture: bytes, *, zone: tzinfo, now: datetime, max_pixels: int) -> tuple[datetime | None, str]:
    """When (UTC) it was taken, or else None and a sentence that says why that is not known.

    `zone`: the one of the camera's clock, where neither EXIF nor name says another.
    """
    future: datetime | None = None
    for claim in _claims(name, picture, max_pixels):
        try:
            moment = resolve(claim, zone, arrived=now)
        except OverflowError:
            continue
        if moment <= now + AHEAD:
            return moment, ""
        future = future or moment
    if future is not None:
        return None, f"Its date, {future:%Y-%m-%d}, lies in the future."
    return None, "Neither its EXIF nor its name says when it was taken."


def _claims(name: str, picture: bytes, max_pixels: int) -> Iterator[datetime]:
    yield from exif_times(picture, max_pixels)
    yield from named_times(name)
    for year, _, month, day in reversed(_DAY.findall(name)):
        try:
            yield datetime.combine(date(int(year), int(month), int(day)), NOON)
        except ValueError:
            continue  # the 31st of February
