"""When pictures of a folder were taken: EXIF, then their names, never the future."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from app.films.dates import taken_at
from app.media.picture import MAX_PIXELS
from tests.fakes.pictures import encoded
from tests.fakes.running_films import NOW, shade

BERLIN = ZoneInfo("Europe/Berlin")


def found(name: str, picture: bytes = b"") -> tuple[datetime | None, str]:
    return taken_at(name, picture or shade(1), zone=BERLIN, now=NOW, max_pixels=MAX_PIXELS)


def with_exif(moment: str, offset: str = "") -> bytes:
    exif = Image.Exif()
    details = exif.get_ifd(0x8769)
    details[0x9003] = moment
    if offset:
        details[0x9011] = offset
    return encoded(Image.new("L", (32, 24)), exif=exif)


@pytest.mark.parametrize(
    ("name", "picture", "expected"),
    [
        ("2019-05-06 07.08.09.jpg", b"", datetime(2019, 5, 6, 5, 8, 9, tzinfo=UTC)),
        ("2019-05-06.jpg", b"", datetime(2019, 5, 6, 10, tzinfo=UTC)),
        ("garden/20190506.jpg", b"", datetime(2019, 5, 6, 10, tzinfo=UTC)),
        ("2019-05-06.jpg", with_exif("2018:12:24 18:00:00"), datetime(2018, 12, 24, 17, tzinfo=UTC)),
        ("2019-05-06.jpg", with_exif("2018:12:24 18:00:00", "-03:00"), datetime(2018, 12, 24, 21, tzinfo=UTC)),
        ("2019-05-06.jpg", with_exif("2090:12:24 18:00:00"), datetime(2019, 5, 6, 10, tzinfo=UTC)),
    ],
)
def test_exif_comes_before_the_name_and_a_day_is_its_noon(name: str, picture: bytes, expected: datetime) -> None:
    assert found(name, picture) == (expected, "")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("holiday.jpg", "Neither its EXIF nor its name says when it was taken."),
        ("2019-02-31.jpg", "Neither its EXIF nor its name says when it was taken."),
        ("1234567890123.jpg", "Neither its EXIF nor its name says when it was taken."),
        ("2031-05-06.jpg", "Its date, 2031-05-06, lies in the future."),
    ],
)
def test_what_is_not_known_is_said(name: str, why: str) -> None:
    assert found(name) == (None, why)
