"""What is drawn on frames: date and time in the corner, names of months, missing time, brightness."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFont

from app.media.stamp import (
    Language,
    Look,
    Position,
    Stamp,
    StampError,
    brightened,
    brightness,
    check,
    draw_progress,
    in_words,
)

MOMENT = datetime(2026, 3, 1, 4, 5)  # noqa: DTZ001 - at home
SIZE = (320, 180)


def changed(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int]:
    return ImageChops.difference(before, after).getbbox() or (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("position", "left", "top"),
    [
        ("top-left", True, True),
        ("top-right", False, True),
        ("bottom-left", True, False),
        ("bottom-right", False, False),
    ],
)
def test_date_and_time_stand_in_their_corner(position: Position, left: bool, top: bool) -> None:
    frame = Image.new("RGB", SIZE, "grey")
    Stamp(Look(position=position, size=0.06), height=SIZE[1]).draw(frame, MOMENT)
    box = changed(Image.new("RGB", SIZE, "grey"), frame)
    margin = round(SIZE[1] * 0.03)
    assert (box[0] == margin) is left
    assert (box[2] == SIZE[0] - margin) is not left
    assert (box[1] == margin) is top
    assert (box[3] == SIZE[1] - margin) is not top
    darkest, lightest = frame.crop(box).convert("L").getextrema()
    assert darkest == 0  # around the white
    assert lightest == pytest.approx(255, abs=5)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Sunday 1 March Sun Mar 100%"),
        ("de", "Sonntag 1 März So März 100%"),
        ("es", "domingo 1 marzo dom mar 100%"),
        ("fr", "dimanche 1 mars dim. mars 100%"),
    ],
)
def test_months_and_days_have_their_names(language: Language, text: str) -> None:
    assert in_words(MOMENT, "%A %-d %B %a %b 100%%", language) == text


def test_a_font_without_the_letters_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(Look(format="%A, %d %B %Y"))
    own = ImageFont.load_default(20)
    assert isinstance(own, ImageFont.FreeTypeFont)
    font = tmp_path / "own.ttf"
    font.write_bytes(own.font_bytes)
    with pytest.raises(StampError, match=r"the font own\.ttf lacks the letters ä"):
        check(Look(format="%B", language="de", font=str(font)))
    check(Look(format="%d.%m.%Y", language="de", font=str(font)))
    with pytest.raises(StampError, match="cannot open the font"):
        check(Look(font=str(tmp_path / "none.ttf")))
    monkeypatch.setattr("app.media.stamp.SYSTEM_FONT", "no-such-font.ttf")
    with pytest.raises(StampError, match="Pillow's own font lacks the letters áé"):
        check(Look(format="%A %b", language="es", size=0.07))


def test_a_gap_is_grey_and_says_from_when_to_when() -> None:
    gap = Stamp(Look(format="%A, %d %B %Y, %H:%M:%S"), height=180).gap(SIZE, MOMENT, MOMENT)
    box = changed(Image.new("RGB", SIZE, gap.getpixel((0, 0))), gap)
    assert 0 < box[0] < box[2] < SIZE[0]  # it fits, however long it is


def test_the_bar_fills() -> None:
    frame = Image.new("RGB", SIZE, "grey")
    draw_progress(frame, 0.25)
    row = [frame.getpixel((across, SIZE[1] - 1)) for across in (0, 79, 80, 319)]
    assert row == [(255,) * 3, (255,) * 3, (0,) * 3, (0,) * 3]
    assert frame.getpixel((0, SIZE[1] - 3)) == (128,) * 3


def test_brightness_is_brought_up_and_down_within_limits() -> None:
    dark = Image.new("RGB", SIZE, (60, 50, 40))
    assert brightness(brightened(dark, 1.5)) == pytest.approx(brightness(dark) * 1.5, rel=0.02)
    assert brightened(dark, 9).getpixel((0, 0)) == (120, 100, 80)
    assert brightened(dark, 1.005) is dark
