"""When an uploaded picture was taken: by its file name, its EXIF, or when it arrived.

What states its zone comes before what does not, and a reading that is not complete is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import PurePath
from types import MappingProxyType

from app.media.picture import MAX_PIXELS
from app.media.picture import exif as exif_of

AHEAD = timedelta(minutes=2)
"""How far a camera's clock may be ahead of ours and still be believed."""

_DATE = r"(?P<year>20\d\d){0}(?P<month>0[1-9]|1[0-2]){0}(?P<day>0[1-9]|[12]\d|3[01])"
_TIME = r"(?P<hour>[01]\d|2[0-3]){0}(?P<minute>[0-5]\d){0}(?P<second>[0-5]\d)"
_HALF = r"(?:[-_ .]?(?P<ampm>[AaPp]\.?[Mm])\.?(?![A-Za-z0-9]))?"
_ZONE = r"(?P<zone>Z(?![A-Za-z])|[+-]\d\d?:[0-5]\d(?!\d)|\+\d\d[0-5]\d(?!\d))?"
_OFFSET = re.compile(r"([+-])(\d\d?):(\d\d)|([+-])(\d\d)(\d\d)")

PATTERNS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        # Google's Pixel phones name their pictures in UTC: PXL_20240102_030405123.jpg.
        rf"(?P<utc>PXL_){_DATE.format('')}_{_TIME.format('')}(?P<fraction>\d{{3}})?(?!\d)",
        # Foscam: snap/MDAlarm_20180914-111429.jpg, HMDAlarm_..., Schedule_... (github.com/search?q=MDAlarm_2018).
        # Reolink: Front Door_00_20220307125217.jpg. Hikvision, with milliseconds:
        # 192.168.1.64_01_20200730111229020_MOTION_DETECTION.jpg. Vivotek: door_20050107180659_4_trg.jpg (its
        # FD6111V manual, "Naming rule of snapshot file"). And ISO 8601's basic form.
        rf"(?<!\d)(?<!PXL_){_DATE.format('')}[-_ T@.]?{_TIME.format('')}(?P<fraction>\d{{3}})?(?!\d){_HALF}{_ZONE}",
        # ISO 8601's extended form and its likes. GeoVision: MOTION_2021-01-09-14-05-06-123_001.jpg (its
        # GV-TMEB5800 manual, page 68). ACTi: Entrance-2009-06-05@225030.jpg (its firmware manual V5.12.12, page 72).
        # Clocks of twelve hours: 2024-01-02_09-24-25_PM.jpg.
        rf"(?<!\d){_DATE.format('[-_.]')}[-_ T@.]{_TIME.format('[-_.:]?')}"
        rf"(?:[-_.,](?P<fraction>\d{{3}})(?!\d))?(?!\d){_HALF}{_ZONE}",
        # INSTAR: 20251122/images000/A25112207050200.jpg, where two digits are a counter; newer ones have none.
        rf"(?<![A-Za-z0-9])[A-Z]{_DATE.format('').replace('20', '')}{_TIME.format('')}(?:\d\d)?(?!\d)",
        # Dahua and Amcrest: 2019-05-09/001/jpg/06/07/27[M][0@0][0].jpg, and 2023-09-04/001/jpg/13/28.47[M][0@0][0].jpg.
        rf"(?<!\d){_DATE.format('-')}/(?:[^/]+/)*?{_TIME.format('[/.]')}\[",
        # motionEye's default and others: the date in folders, the time in the name or in more folders:
        # 2020/03/12/Corridor1_01-36-01.jpg, 20260304/12/34/56.jpg. Without separators it could be a counter.
        rf"(?<!\d){_DATE.format('[-_./]?')}/(?:[^/]+/)*?(?:[^/]*(?<![\d.]))?"
        r"(?P<hour>[01]\d|2[0-3])(?P<between>[-_.:/])(?P<minute>[0-5]\d)(?P=between)(?P<second>[0-5]\d)(?!\.?\d)"
        rf"{_HALF}[^/]*$",
    )
)
"""How cameras put the time into names, looked for in a file's whole name below the upload area."""

NEEDED = frozenset({"year", "month", "day", "hour", "minute"})
"""Named groups that a pattern has at least; `second`, `fraction` (of a second), `ampm` and `zone` are known besides."""

LONGEST = 1_024
"""Characters of a name, from its end, in which a time is looked for."""

_EXIF, _TAKEN, _OFFSET_TIME, _FRACTION = 0x8769, 0x9003, 0x9011, 0x9291
"""Exif 2.31: the Exif IFD, and in it DateTimeOriginal, OffsetTimeOriginal and SubSecTimeOriginal."""
_EXIF_TIME = re.compile(rf"{_DATE.format(':')} {_TIME.format(':')}(?:\.(?P<fraction>\d+))?(?P<zone>Z|[+-]\d\d?:?\d\d)?")
"""The standard's 19 characters, and what some cameras write behind them as in ISO 8601."""
_FARTHEST = timedelta(hours=14)
"""From UTC; the Line Islands."""
_MOST_TEXT = 64
"""Characters of an EXIF text that are looked at; a time has 19."""


class CaptureTime:
    """Finds out when pictures were taken."""

    def __init__(
        self,
        *,
        zone: tzinfo,
        zones: Mapping[str, tzinfo] = MappingProxyType({}),
        patterns: Sequence[re.Pattern[str]] = (),
        max_age: timedelta = timedelta(days=7),
        max_pixels: int = MAX_PIXELS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`zone` is the one of cameras' clocks but for those in `zones`, by device key; `patterns` are tried before
        ours; a picture that claims to be older than `max_age` on arrival is not believed, and one of more than
        `max_pixels` is not looked into."""
        self._zone = zone
        self._zones = zones
        self._patterns = (*patterns, *PATTERNS)
        self._max_age = max_age
        self._max_pixels = max_pixels
        self._now = now

    def taken_at(
        self,
        name: PurePath,
        picture: bytes,
        *,
        written: datetime,
        camera: str = "",
        claimed: datetime | None = None,
    ) -> datetime:
        """When (UTC) a picture was taken whose file got this name below the upload area and was last written then.

        `camera`: its device key. `claimed`: the time that its sender gave.
        """
        now = self._now()
        zone = self._zones.get(camera, self._zone)
        arrived = written if now - self._max_age <= written <= now else now
        for claim in self._claims(name, picture, claimed):
            try:
                moment = resolve(claim, zone, arrived=arrived)
            except OverflowError:
                continue  # the year 1
            if arrived - self._max_age <= moment <= arrived + AHEAD:
                return moment
        return arrived.astimezone(UTC)

    def _claims(self, name: PurePath, picture: bytes, claimed: datetime | None) -> list[datetime]:
        """Likeliest first: with a zone, then without; and in both the sender's before what the file says."""
        sent = [] if claimed is None else [claimed]
        named = list(named_times(name.as_posix(), self._patterns))
        inside = exif_times(picture, self._max_pixels)
        zoned = [claim for claim in (*sent, *inside, *named) if claim.tzinfo is not None]
        return zoned + [claim for claim in (*sent, *named, *inside) if claim.tzinfo is None]


def named_times(name: str, patterns: Sequence[re.Pattern[str]] = PATTERNS) -> Iterator[datetime]:
    """The times that a name can be read as, likeliest first; naive where the name has no zone."""
    for pattern in patterns:
        # The last one: folders' names are less exact than the file's.
        for match in reversed(list(pattern.finditer(name[-LONGEST:]))):
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


def _time(parts: Mapping[str, str | None]) -> datetime | None:
    """The time that a match's groups make; None when one that is needed is missing, or for no time that there is."""
    try:
        year, month, day, hour, minute = (int(parts[name] or "") for name in ("year", "month", "day", "hour", "minute"))
        time = datetime(
            year + 2000 if year < 100 else year,
            month,
            day,
            _of_24(hour, parts.get("ampm") or ""),
            minute,
            int(parts.get("second") or 0),
            int(((parts.get("fraction") or "") + "000000")[:6]),
            tzinfo=UTC if parts.get("utc") else _offset(parts.get("zone") or ""),
        )
    except (ValueError, OverflowError):
        return None  # the 31st of February
    return time if time.year >= 2000 else None  # a clock that was reset


def _of_24(hour: int, ampm: str) -> int:
    """The hour of a clock of 24; one from 13 on, or 0, is that already. Raises ValueError."""
    if ampm and ampm[0] not in "AaPp":
        raise ValueError("neither before noon nor after")
    if not ampm or not 1 <= hour <= 12:
        return hour
    return hour % 12 + (12 if ampm[0] in "Pp" else 0)


def exif_times(picture: bytes, max_pixels: int) -> list[datetime]:
    """The time in the picture, naive where it has no zone; or none."""
    try:
        exif = exif_of(picture, max_pixels=max_pixels).get_ifd(_EXIF)
    except Exception:  # noqa: BLE001 - hostile EXIF raises anything at all; a picture with broken EXIF is one still
        return []
    match = _EXIF_TIME.fullmatch(_text(exif.get(_TAKEN)))
    if not match:
        return []
    fraction, zone = _text(exif.get(_FRACTION)), _text(exif.get(_OFFSET_TIME))
    time = _time(
        {
            **match.groupdict(),
            "fraction": match["fraction"] or (fraction if fraction.isdecimal() else ""),
            "zone": match["zone"] or zone,
        }
    )
    return [] if time is None else [time]


def _text(value: object) -> str:
    """An EXIF text up to its NUL, whatever its writer left behind it."""
    return str(value)[:_MOST_TEXT].partition("\0")[0].strip()


def _offset(text: str) -> tzinfo | None:
    """The zone of an offset such as `Z`, `+02:00`, `+2:00` or `+0200`; None for one that says nothing, or nonsense."""
    if text == "Z":
        return UTC
    match = _OFFSET.fullmatch(text)
    if not match:
        return None
    sign, hours, minutes = (part for part in match.groups() if part is not None)
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if int(minutes) > 59 or offset > _FARTHEST:
        return None
    return timezone(-offset if sign == "-" else offset)
