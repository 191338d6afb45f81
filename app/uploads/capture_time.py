"""When an uploaded picture was taken: by its file name, else its EXIF, else when it arrived."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import chain
from pathlib import PurePath

from PIL.JpegImagePlugin import JpegImageFile

from app.media.formats import JPEG_START

AHEAD = timedelta(minutes=2)
"""How far a camera's clock may be ahead of ours and still be believed."""

_DATE = r"(?P<year>20\d\d){0}(?P<month>0[1-9]|1[0-2]){0}(?P<day>0[1-9]|[12]\d|3[01])"
_TIME = r"(?P<hour>[01]\d|2[0-3]){0}(?P<minute>[0-5]\d){0}(?P<second>[0-5]\d)"
_ZONE = r"(?P<zone>Z(?![A-Za-z])|[+-]\d\d:[0-5]\d|\+\d\d[0-5]\d(?!\d))?"

PATTERNS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        # Foscam: snap/MDAlarm_20180914-111429.jpg, HMDAlarm_..., Schedule_... (github.com/search?q=MDAlarm_2018).
        # Reolink: Front Door_00_20220307125217.jpg. Hikvision, with milliseconds:
        # 192.168.1.64_01_20200730111229020_MOTION_DETECTION.jpg. Vivotek: door_20050107180659_4_trg.jpg (its
        # FD6111V manual, "Naming rule of snapshot file"). And ISO 8601's basic form.
        rf"(?<!\d){_DATE.format('')}[-_ T@.]?{_TIME.format('')}(?P<fraction>\d{{3}})?(?!\d){_ZONE}",
        # ISO 8601's extended form and its likes. GeoVision: MOTION_2021-01-09-14-05-06-123_001.jpg (its
        # GV-TMEB5800 manual, page 68). ACTi: Entrance-2009-06-05@225030.jpg (its firmware manual V5.12.12, page 72).
        rf"(?<!\d){_DATE.format('[-_.]')}[-_ T@.]{_TIME.format('[-_.:]?')}"
        rf"(?:[-_.,](?P<fraction>\d{{3}})(?!\d))?(?!\d){_ZONE}",
        # INSTAR: 20251122/images000/A25112207050200.jpg, where two digits are a counter; newer ones have none.
        rf"(?<![A-Za-z0-9])[A-Z]{_DATE.format('').replace('20', '')}{_TIME.format('')}(?:\d\d)?(?!\d)",
        # Dahua and Amcrest: 2019-05-09/001/jpg/06/07/27[M][0@0][0].jpg, and 2023-09-04/001/jpg/13/28.47[M][0@0][0].jpg.
        rf"(?<!\d){_DATE.format('-')}/(?:[^/]+/)*?{_TIME.format('[/.]')}\[",
        # motionEye's default and others: the date in folders, the time in the name or in more folders:
        # 2020/03/12/Corridor1_01-36-01.jpg, 20260304/12/34/56.jpg. Without separators it could be a counter.
        rf"(?<!\d){_DATE.format('[-_./]?')}/(?:[^/]+/)*?(?:[^/]*(?<![\d.]))?"
        r"(?P<hour>[01]\d|2[0-3])(?P<between>[-_.:/])(?P<minute>[0-5]\d)(?P=between)(?P<second>[0-5]\d)(?!\.?\d)[^/]*$",
    )
)
"""How cameras put the time into names, looked for in a file's whole name below the upload area."""

NEEDED = frozenset({"year", "month", "day", "hour", "minute"})
"""Named groups that a pattern has at least; `second`, `fraction` (of a second) and `zone` are known besides."""

_EXIF, _TAKEN, _OFFSET, _FRACTION = 0x8769, 0x9003, 0x9011, 0x9291
"""Exif 2.31: the Exif IFD, and in it DateTimeOriginal, OffsetTimeOriginal and SubSecTimeOriginal."""
_EXIF_TIME = re.compile(rf"\s*{_DATE.format(':')} {_TIME.format(':')}")


class CaptureTime:
    """Finds out when pictures were taken."""

    def __init__(
        self,
        *,
        zone: tzinfo,
        patterns: Sequence[re.Pattern[str]] = (),
        max_age: timedelta = timedelta(days=7),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`zone` is the one of cameras' clocks; `patterns` are tried before ours; a picture that claims to be older
        than `max_age` on arrival is not believed."""
        self._zone = zone
        self._patterns = (*patterns, *PATTERNS)
        self._max_age = max_age
        self._now = now

    def taken_at(
        self, name: PurePath, picture: bytes, *, written: datetime, claimed: datetime | None = None
    ) -> datetime:
        """When (UTC) a picture was taken whose file got this name below the upload area and was last written then.

        `claimed`: the time that its sender gave, which comes first.
        """
        now = self._now()
        arrived = written if now - self._max_age <= written <= now else now
        claims = self._claims(name, picture)
        for claim in claims if claimed is None else chain((claimed,), claims):
            try:
                moment = resolve(claim, self._zone, arrived=arrived)
            except OverflowError:
                continue  # the year 1
            if arrived - self._max_age <= moment <= arrived + AHEAD:
                return moment
        return arrived.astimezone(UTC)

    def _claims(self, name: PurePath, picture: bytes) -> Iterator[datetime]:
        yield from named_times(name.as_posix(), self._patterns)
        exif = _exif_time(picture)
        if exif is not None:
            yield exif


def named_times(name: str, patterns: Sequence[re.Pattern[str]] = PATTERNS) -> Iterator[datetime]:
    """The times that a name can be read as, likeliest first; naive where the name has no zone."""
    for pattern in patterns:
        # The last one: folders' names are less exact than the file's.
        for match in reversed(list(pattern.finditer(name))):
            time = _time(match.groupdict())
            if time is not None:
                yield time


def resolve(claim: datetime, zone: tzinfo, *, arrived: datetime) -> datetime:
    """A clock's reading in UTC, if the clock shows the zone's time, and what it was seen on arrived then.

    Where clocks are put back, the hour that comes twice is the last one that was not after the arrival. Where they
    are put forward, the hour that never was is the next one: that clock was not put forward yet.
    """
    if claim.tzinfo is not None:
        return claim.astimezone(UTC)
    first, second = (claim.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if second > first and second <= arrived + AHEAD:
        return second
    return first


def _time(parts: dict[str, str | None]) -> datetime | None:
    year, month, day, hour, minute = (int(parts[name] or 0) for name in ("year", "month", "day", "hour", "minute"))
    fraction = ((parts.get("fraction") or "") + "000000")[:6]
    zone = parts.get("zone")
    try:
        return datetime(
            year + 2000 if year < 100 else year,
            month,
            day,
            hour,
            minute,
            int(parts.get("second") or 0),
            int(fraction),
            tzinfo=_offset(zone) if zone else None,
        )
    except ValueError:
        return None  # the 31st of February


def _exif_time(picture: bytes) -> datetime | None:
    if not picture.startswith(JPEG_START):
        return None
    try:
        exif = JpegImageFile(io.BytesIO(picture)).getexif().get_ifd(_EXIF)
    except Exception:  # noqa: BLE001 - hostile EXIF raises anything at all; a picture with broken EXIF is one still
        return None
    match = _EXIF_TIME.match(str(exif.get(_TAKEN, "")))
    if not match:
        return None
    offset = str(exif.get(_OFFSET, "")).strip("\0 ")
    parts = {**match.groupdict(), "fraction": re.sub(r"\D", "", str(exif.get(_FRACTION, ""))), "zone": offset}
    return _time(parts)


def _offset(text: str) -> tzinfo:
    """The zone of an offset such as `Z`, `+02:00` or `+0200`; raises ValueError."""
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text.startswith("-") else offset)
