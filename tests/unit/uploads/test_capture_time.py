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


NOON = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offset", "hour"),
    [
        ("   :  ", 14),  # as firmware writes that does not know: then it is Berlin's
        ("", 14),
        ("nonsense", 14),
        ("+99:00", 14),
        ("+01:75", 14),
        ("+100", 14),
        ("+1:00", 13),
        ("+01:00", 13),
        ("+0100", 13),
        ("Z", 12),
        ("-3:30", 8.5),
        ("-03:30\0", 8.5),
    ],
)
def test_an_exif_offset_is_read_or_unknown_and_the_time_counts_in_both_cases(offset: str, hour: float) -> None:
    clock = datetime(2026, 7, 4, tzinfo=UTC) + timedelta(hours=hour, minutes=-1)
    picture = with_exif(taken=clock.strftime("%Y:%m:%d %H:%M:%S"), offset=offset)
    assert taken("a.jpg", arrived=NOON, picture=picture) == NOON - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026:07:04 13:59:00\n", "11:59:00"),
        ("2026:07:04 13:59:00\0\0\x01", "11:59:00"),
        ("2026:07:04 13:59:00.25", "11:59:00.250000"),
        ("2026:07:04 11:59:00Z", "11:59:00"),
        ("2026:07:04 12:59:00+01:00", "11:59:00"),
        ("2026:07:04 12:59:00.123+01:00", "11:59:00.123000"),
    ],
)
def test_an_exif_time_is_read_with_what_cameras_write_behind_it(text: str, expected: str) -> None:
    assert str(taken("a.jpg", arrived=NOON, picture=with_exif(taken=text)).time()) == expected


def test_the_exif_of_any_picture_that_the_limit_allows_is_read() -> None:
    picture = with_exif(taken="2026:07:04 13:59:00")
    size = picture.index(b"\xff\xc0") + 5
    picture = picture[:size] + (7_000).to_bytes(2) + (8_000).to_bytes(2) + picture[size + 4 :]
    clock = CaptureTime(zone=BERLIN, now=lambda: NOON, max_pixels=56_000_000)
    assert clock.taken_at(PurePosixPath("a.jpg"), picture, written=NOON) == NOON - timedelta(minutes=1)


def test_a_time_with_a_zone_goes_before_one_without() -> None:
    exif = {"taken": "2026:07:04 13:30:00"}
    zoned, plain = with_exif(**exif, offset="+02:00"), with_exif(**exif)
    without, with_one = "20260704_115500.jpg", "20260704T094500Z.jpg"
    assert taken(without, arrived=NOON, picture=plain) == datetime(2026, 7, 4, 9, 55, tzinfo=UTC)
    assert taken(without, arrived=NOON, picture=zoned) == datetime(2026, 7, 4, 11, 30, tzinfo=UTC)
    assert taken(with_one, arrived=NOON, picture=plain) == datetime(2026, 7, 4, 9, 45, tzinfo=UTC)
    assert taken(with_one, arrived=NOON, picture=zoned) == datetime(2026, 7, 4, 11, 30, tzinfo=UTC)


def test_what_the_sender_says_goes_before_what_the_file_says_with_no_better_zone() -> None:
    zoned = with_exif(taken="2026:07:04 13:30:00", offset="+02:00")
    clock = CaptureTime(zone=BERLIN, now=lambda: NOON)
    said = datetime(2026, 7, 4, 10, 0, tzinfo=UTC)

    def found(claimed: datetime, picture: bytes) -> datetime:
        return clock.taken_at(PurePosixPath("20260704_115500.jpg"), picture, written=NOON, claimed=claimed)

    assert found(said, zoned) == said
    assert found(said.replace(tzinfo=None), b"") == said - timedelta(hours=2)
    assert found(said.replace(tzinfo=None), zoned) == datetime(2026, 7, 4, 11, 30, tzinfo=UTC)


def test_a_pixel_phone_s_name_is_in_utc_and_never_read_as_anything_else() -> None:
    arrived = datetime(2024, 1, 2, 3, 5, tzinfo=UTC)
    assert taken("PXL_20240102_030405123.jpg", arrived=arrived) == datetime(2024, 1, 2, 3, 4, 5, 123_000, tzinfo=UTC)
    zoned = with_exif(taken="2024:01:02 04:04:06", offset="+01:00")
    assert taken("PXL_20240102_030405123.jpg", arrived=arrived, picture=zoned) == datetime(
        2024, 1, 2, 3, 4, 6, tzinfo=UTC
    )
    earlier = arrived - timedelta(minutes=30)  # in Berlin it could have been before that
    assert taken("PXL_20240102_030405123.jpg", arrived=earlier) == earlier


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cam_2024-01-02_09-24-25_PM.jpg", (21, 24, 25)),
        ("cam_2024-01-02_09-24-25_AM.jpg", (9, 24, 25)),
        ("cam_2024-01-02_12-24-25_am_1.jpg", (0, 24, 25)),
        ("cam_2024-01-02_12-24-25 PM.jpg", (12, 24, 25)),
        ("cam_20240102_092425PM.jpg", (21, 24, 25)),
        ("2024/01/02/cam_09-24-25_p.m.jpg", (21, 24, 25)),
        ("cam_2024-01-02_09-24-25_AMcrest.jpg", (9, 24, 25)),
        ("cam_2024-01-02_09-24-25_PMotion.jpg", (9, 24, 25)),
        ("cam_2024-01-02_21-24-25_PM.jpg", (21, 24, 25)),
        ("cam_20240102_092425_pm2.jpg", (9, 24, 25)),
    ],
)
def test_a_clock_of_twelve_hours_is_read(name: str, expected: tuple[int, int, int]) -> None:
    time = next(named_times(name))
    assert (time.hour, time.minute, time.second) == expected


def test_own_patterns_can_say_before_noon_and_after() -> None:
    pattern = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d) (?P<hour>\d+)h(?P<minute>\d\d)(?P<ampm>\w)m"
    patterns = UploadSettings(time_patterns=(pattern,)).patterns
    assert [str(time) for time in named_times("20240102 9h24pm", patterns)] == ["2024-01-02 21:24:00"]
    assert list(named_times("20240102 9h24xm", patterns)) == []


def test_a_camera_s_clock_may_have_a_zone_of_its_own() -> None:
    clock = CaptureTime(zone=BERLIN, zones={"Yard Camera": NEW_YORK}, now=lambda: NOON)
    name = PurePosixPath("20260704_075900.jpg")
    assert clock.taken_at(name, b"", written=NOON, camera="Yard Camera") == NOON - timedelta(minutes=1)
    assert clock.taken_at(name, b"", written=NOON, camera="Door Camera") == datetime(2026, 7, 4, 5, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("2026:07:04", "2026:07:04 ", "2026:07:04 10", "2026:07:04 10:00", "2026:13:04 10:00:00"),
        *("2026:07:04 24:00:00", "2026:07:04 10:00:60", "2026:07:04 10:00:001", "1970:01:01 00:00:00"),
        *("2026:07:04 10:00:00 AM", "0026:07:04 10:00:00", "2026:  :   10:00:00"),
    ],
)
def test_a_part_of_a_time_in_a_picture_is_none(text: str) -> None:
    assert taken("a.jpg", arrived=NOON, picture=with_exif(taken=text)) == NOON


@pytest.mark.parametrize(
    "name",
    ["", "2026 13 04 10 00 00", "2026 07 04 24 00 00", "2026 07 04 10 00 60", "1970 01 01 00 00 00", "2026 07 04"],
)
def test_a_part_of_a_time_in_a_name_is_none(name: str) -> None:
    pattern = r"(?P<year>\d+) (?P<month>\w+) (?P<day>\d+)(?: (?P<hour>\d+) (?P<minute>\d+) (?P<second>\d+))?"
    patterns = UploadSettings(time_patterns=(pattern,)).patterns
    for text in (name, "2026 July 04 10 00 00", f"2026 {'9' * 5000} 04 10 00 00", f"2026 {'9' * 50} 04 10 00 00"):
        assert list(named_times(text, patterns)) == []


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
    for name in (
        "PXL_" * 9000,
        "20260304_101010_" * 4000,
        "2026-03-04_" * 6000,
        "2026-03-04/" * 370,
        "2026-03-04/" + "1" * 250,
        "20260304/" + "12-34-5" * 36,
        "2/" * 2000,
    ):
        list(named_times(name))
    assert time.thread_time() - began < 1
    assert all(isinstance(pattern, re.Pattern) for pattern in PATTERNS)
