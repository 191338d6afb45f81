"""When a picture was taken: what its name says, else its EXIF, else when it came; all within bounds."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from app.uploads.capture_time import PATTERNS, CaptureTime, named_times, resolve
from app.uploads.settings import UploadSettings
from tests.fakes.cameras import jpeg
from tests.fakes.pictures import encoded

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")

NAMES = {
    "Foscam": "frontdoor/FI9800P_00123E45E060/snap/MDAlarm_%Y%m%d-%H%M%S.jpg",
    "Foscam, scheduled": "frontdoor/snap/Schedule_%Y%m%d-%H%M%S.jpg",
    "Reolink": "frontdoor/%Y/%m/%d/Front Door_00_%Y%m%d%H%M%S.jpg",
    "Hikvision": "frontdoor/192.168.1.64_01_%Y%m%d%H%M%S000_MOTION_DETECTION.jpg",
    "Dahua": "frontdoor/IPC-HFW5238M/%Y-%m-%d/001/jpg/%H/%M/%S[M][0@0][0].jpg",
    "Amcrest": "frontdoor/AMC002A3_K2G7HH/%Y-%m-%d/001/jpg/%H/%M.%S[M][0@0][0].jpg",
    "INSTAR": "frontdoor/%Y%m%d/images000/A%y%m%d%H%M%S00.jpg",
    "INSTAR, newer": "frontdoor/%Y-%m-%d/images000/A%y%m%d%H%M%S.jpg",
    "GeoVision": "frontdoor/MOTION_%Y-%m-%d-%H-%M-%S-000_001.jpg",
    "generic": "frontdoor/IMG_%Y%m%d_%H%M%S_1.jpg",
    "ISO 8601": "frontdoor/%Y-%m-%dT%H:%M:%S.jpg",
    "date in folders": "frontdoor/%Y/%m/%d/Corridor1_%H-%M-%S.jpg",
    "all in folders": "frontdoor/%Y%m%d/%H/%M/%S.jpg",
}


def moments_of(year: int) -> st.SearchStrategy[datetime]:
    seconds = int(timedelta(days=365).total_seconds())
    start = datetime(year, 1, 1, tzinfo=UTC)
    return st.integers(0, seconds).map(lambda second: start + timedelta(seconds=second))


def taken(name: str, *, arrived: datetime, zone: ZoneInfo = BERLIN, picture: bytes = b"") -> datetime:
    clock = CaptureTime(zone=zone, now=lambda: arrived)
    return clock.taken_at(PurePosixPath(name), picture, written=arrived)


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK], ids=str)
@pytest.mark.parametrize("brand", NAMES)
def test_every_brand_s_name_gives_any_moment_of_a_year_back(brand: str, zone: ZoneInfo) -> None:
    # An upload takes a while, but not as long as the hour that comes twice.
    @given(moment=moments_of(2026), delay=st.integers(0, 55 * 60))
    def check(moment: datetime, delay: int) -> None:
        name = moment.astimezone(zone).strftime(NAMES[brand])
        assert taken(name, arrived=moment + timedelta(seconds=delay), zone=zone) == moment

    check()


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK], ids=str)
def test_a_believed_time_is_never_far_ahead_and_reads_as_the_name_does(zone: ZoneInfo) -> None:
    @given(moment=moments_of(2026), shift=st.integers(-10 * 86_400, 10 * 86_400))
    def check(moment: datetime, shift: int) -> None:
        arrived = moment + timedelta(seconds=shift)
        local = moment.astimezone(zone)
        found = taken(local.strftime(NAMES["generic"]), arrived=arrived, zone=zone)
        assert arrived - timedelta(days=7) <= found <= arrived + timedelta(minutes=2)
        if found != arrived:
            assert found.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None, fold=0)

    check()


def test_the_hour_that_comes_twice_is_the_last_one_before_the_arrival() -> None:
    half_past_two = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - as a camera shows it
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert resolve(half_past_two, BERLIN, arrived=first + timedelta(seconds=3)) == first
    assert resolve(half_past_two, BERLIN, arrived=second - timedelta(minutes=10)) == first
    assert resolve(half_past_two, BERLIN, arrived=second + timedelta(seconds=3)) == second
    assert resolve(half_past_two, BERLIN, arrived=second - timedelta(seconds=20)) == second  # its clock is ahead


def test_the_hour_that_never_was_belongs_to_a_clock_that_was_not_put_forward() -> None:
    half_past_two = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001
    assert resolve(half_past_two, BERLIN, arrived=datetime(2026, 3, 29, 1, 30, 5, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "name",
    [
        "a/IMG_1234.jpg",
        "a/20260304/000123.jpg",  # a counter
        "a/20260304/10.12.30.5.jpg",  # an address
        "a/20260304/192.168.10.12_1.jpg",
        "a/20260231_101010.jpg",  # no such day
        "a/20260304_246060.jpg",
        "a/120260304101010.jpg",  # a longer number
        "a/20260304/a.jpg",
    ],
)
def test_a_number_that_is_no_time_is_not_taken_for_one(name: str) -> None:
    assert list(named_times(name)) == []


def test_a_zone_in_the_name_counts() -> None:
    arrived = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    expected = datetime(2026, 3, 4, 11, 30, tzinfo=UTC)
    for name in ("20260304T113000Z.jpg", "2026-03-04T13:30:00+02:00.jpg", "20260304T063000-05:00_q.jpg"):
        assert taken(name, arrived=arrived) == expected


def test_the_name_of_the_file_says_more_than_that_of_its_folder() -> None:
    arrived = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    name = "since 20260304_110000/20260304_113000.jpg"
    assert taken(name, arrived=arrived, zone=ZoneInfo("UTC")) == arrived - timedelta(minutes=30)


@pytest.mark.parametrize("claim", ["20260304_120301", "20260225_110000", "19700101_000000", "20361231_235959"])
def test_a_time_out_of_bounds_is_not_believed(claim: str) -> None:
    arrived = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    assert taken(f"{claim}.jpg", arrived=arrived, zone=ZoneInfo("UTC")) == arrived


def with_exif(**tags: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update(
        {{"taken": 0x9003, "offset": 0x9011, "fraction": 0x9291}[name]: value for name, value in tags.items()}
    )
    return encoded(Image.new("RGB", (8, 8)), exif=exif)


def test_without_a_time_in_the_name_the_picture_s_own_counts() -> None:
    arrived = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
    plain = with_exif(taken="2026:07:04 13:59:58")
    assert taken("a.jpg", arrived=arrived, picture=plain) == arrived - timedelta(seconds=2)
    full = with_exif(taken="2026:07:04 07:59:58", offset="-04:00", fraction="25")
    assert taken("a.jpg", arrived=arrived, picture=full) == arrived - timedelta(seconds=1.75)
    assert taken("20260704_135900.jpg", arrived=arrived, picture=plain) == arrived - timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "0000:00:00 00:00:00", "yesterday", "2026:02:31 10:00:00"])
def test_without_any_believable_time_it_is_the_arrival(text: str) -> None:
    arrived = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
    for picture in (with_exif(taken=text), jpeg(), b"\xff\xd8\xff\xe1\x00\x10Exif\0\0broken", b"no picture"):
        assert taken("a.jpg", arrived=arrived, picture=picture) == arrived


def test_a_file_that_waited_came_when_it_was_written() -> None:
    written = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
    clock = CaptureTime(zone=BERLIN, now=lambda: written + timedelta(days=2))
    assert clock.taken_at(PurePosixPath("a.jpg"), b"", written=written) == written
    later = CaptureTime(zone=BERLIN, now=lambda: written + timedelta(days=20))
    assert later.taken_at(PurePosixPath("a.jpg"), b"", written=written) == written + timedelta(days=20)


def test_own_patterns_go_first() -> None:
    settings = UploadSettings(
        time_patterns=(r"d(?P<day>\d\d)m(?P<month>\d\d)y(?P<year>\d\d)_(?P<hour>\d\d)h(?P<minute>\d\d)",)
    )
    arrived = datetime(2026, 3, 4, 12, 40, tzinfo=UTC)
    clock = CaptureTime(zone=ZoneInfo("UTC"), patterns=settings.patterns, now=lambda: arrived)
    name = PurePosixPath("cam/d04m03y26_12h34_20260304_101010.jpg")
    assert clock.taken_at(name, b"", written=arrived) == datetime(2026, 3, 4, 12, 34, tzinfo=UTC)


@pytest.mark.parametrize(("pattern", "complaint"), [("(", "no regular expression"), (r"(?P<year>\d+)", "day")])
def test_a_pattern_that_cannot_work_is_refused(pattern: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        UploadSettings(time_patterns=(pattern,))


def test_no_name_takes_long_to_read() -> None:
    began = time.thread_time()
    for name in ("2026-03-04/" * 370, "2026-03-04/" + "1" * 250, "20260304/" + "12-34-5" * 36, "2/" * 2000):
        list(named_times(name))
    assert time.thread_time() - began < 1
    assert all(isinstance(pattern, re.Pattern) for pattern in PATTERNS)
