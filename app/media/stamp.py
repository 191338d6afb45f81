"""What is drawn on the frames of a film: date and time, how far it is, what is missing; and evening its brightness."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont, ImageStat

from pylib.errors import Permanent

Language = Literal["en", "de", "es", "fr"]
Position = Literal["top-left", "top-right", "bottom-left", "bottom-right"]

CODES = {
    "stamp_font": (
        "The font for the date on a film cannot be used, or lacks letters of the language.",
        "name a font file that has them, such as DejaVuSans.ttf, or choose a format without names",
    ),
}
"""Code -> what happened, and what to do about it."""

MONTHS: Mapping[Language, str] = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
DAYS: Mapping[Language, str] = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
}
SHORT: Mapping[Language, tuple[str, str]] = {
    "en": ("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "Mon Tue Wed Thu Fri Sat Sun"),
    "de": ("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.", "Mo Di Mi Do Fr Sa So"),
    "es": ("ene feb mar abr may jun jul ago sept oct nov dic", "lun mar mié jue vie sáb dom"),
    "fr": ("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.", "lun. mar. mer. jeu. ven. sam. dim."),
}
"""Months, and days."""

SYSTEM_FONT = "DejaVuSans.ttf"
"""Found where the system has its fonts; for letters that Pillow's own font lacks: it has those of English only."""
NOWHERE = "\U0010ffff"
"""A character that no font has."""
GREY = (96, 96, 96)

_NAMES = re.compile(r"%(%|-?[ABabh])")


class StampError(Permanent):
    """The font cannot be used; `code` is `stamp_font`."""


@dataclass(frozen=True, slots=True)
class Look:
    """How date and time look."""

    format: str = "%Y-%m-%d %H:%M"
    """Of Python's strftime."""
    position: Position = "bottom-right"
    language: Language = "en"
    """Of the names of months and days."""
    font: str = ""
    """A font file; empty for Pillow's own."""
    outline: bool = True
    """Black around the white letters: they stay legible on snow."""
    size: float = 0.05
    """Height of the letters, as a part of the frame's."""


class Stamp:
    """Draws date and time into frames of one height."""

    def __init__(self, look: Look, *, height: int) -> None:
        """`height`: of the frames, in pixels. Raises `StampError`."""
        self._look = look
        self._font = _font_for(look, max(8, round(height * look.size)))

    def draw(self, frame: Image.Image, moment: datetime) -> None:
        """Into this frame; `moment` is in the zone of the home."""
        text = in_words(moment, self._look.format, self._look.language)
        draw, margin = ImageDraw.Draw(frame), round(frame.height * 0.03)
        stroke = max(1, round(self._font.size / 12)) if self._look.outline else 0
        left, top, right, bottom = draw.textbbox((0, 0), text, font=self._font, stroke_width=stroke)
        across = margin if self._look.position.endswith("left") else frame.width - margin - (right - left)
        down = margin if self._look.position.startswith("top") else frame.height - margin - (bottom - top)
        place = (across - left, down - top)
        draw.text(place, text, font=self._font, fill="white", stroke_width=stroke, stroke_fill="black")

    def gap(self, size: tuple[int, int], since: datetime, until: datetime) -> Image.Image:
        """A grey frame that says from when to when there is no picture."""
        frame = Image.new("RGB", size, GREY)
        text = " - ".join(in_words(each, self._look.format, self._look.language) for each in (since, until))
        draw, font = ImageDraw.Draw(frame), self._font
        if (width := draw.textlength(text, font=font)) > 0.9 * size[0]:
            font = font.font_variant(size=max(6, int(font.size * 0.9 * size[0] / width)))
        draw.text((size[0] / 2, size[1] / 2), text, font=font, fill="white", anchor="mm")
        return frame


def draw_progress(frame: Image.Image, progress: float) -> None:
    """A bar along the bottom, of which this part (0..1) is filled."""
    top = frame.height - max(2, frame.height // 90)
    draw = ImageDraw.Draw(frame)
    draw.rectangle((0, top, frame.width, frame.height), fill="black")
    if (end := round(frame.width * min(1.0, progress))) > 0:
        draw.rectangle((0, top, end - 1, frame.height), fill="white")


def brightness(frame: Image.Image) -> float:
    """Mean brightness, 0..255, of an eighth of the pixels each way."""
    return float(ImageStat.Stat(frame.reduce(8).convert("L")).mean[0]) if min(frame.size) >= 8 else 128.0


def brightened(frame: Image.Image, factor: float) -> Image.Image:
    """The frame, each colour times this factor, 1/2 to 2 at most."""
    factor = min(2.0, max(0.5, factor))
    if abs(factor - 1) < 0.01:
        return frame
    return frame.point([min(255, round(value * factor)) for value in range(256)] * 3)


def in_words(moment: datetime, format: str, language: Language) -> str:
    """`strftime` with the names of months and days in this language."""

    def name(found: re.Match[str]) -> str:
        match found[1]:
            case "A":
                return DAYS[language].split()[moment.weekday()]
            case "a":
                return SHORT[language][1].split()[moment.weekday()]
            case "B":
                return MONTHS[language].split()[moment.month - 1]
            case "b" | "h":
                return SHORT[language][0].split()[moment.month - 1]
        return found[0]

    return moment.strftime(_NAMES.sub(name, format))


def check(look: Look) -> None:
    """Raise `StampError` when the font lacks what this look may need."""
    _font_for(look, 16)


@cache
def _font_for(look: Look, size: int) -> ImageFont.FreeTypeFont:
    needed = "".join(sorted(_letters(look)))
    if look.font:
        font = _opened(look.font, size)
        if missing := _missing(font, needed):
            raise StampError("stamp_font", f"the font {Path(look.font).name} lacks the letters {missing}")
        return font
    own = ImageFont.load_default(size)
    if not isinstance(own, ImageFont.FreeTypeFont):
        raise StampError("stamp_font", "this Pillow has no font of its own: name a font file")
    if not (missing := _missing(own, needed)):
        return own
    sentence = f"Pillow's own font lacks the letters {missing}: name a font file that has them"
    try:
        font = _opened(SYSTEM_FONT, size)
    except StampError:
        raise StampError("stamp_font", sentence) from None
    if _missing(font, needed):
        raise StampError("stamp_font", sentence)
    return font


def _opened(name: str, size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(name, size)
    except OSError as error:
        raise StampError("stamp_font", f"cannot open the font {name}: {error}") from None


def _letters(look: Look) -> set[str]:
    """All that dates of this look can be made of."""
    some = [datetime(2023, month, 1 + month, hour) for month in range(1, 13) for hour in (0, 23)]  # noqa: DTZ001
    days = [datetime(2023, 5, day, 11, 59, 48) for day in range(1, 8)]  # noqa: DTZ001
    return set("0123456789").union(*(in_words(one, look.format, look.language) for one in some + days)) - {" "}


def _missing(font: ImageFont.FreeTypeFont, letters: str) -> str:
    none = _drawn(font, NOWHERE)
    return "".join(letter for letter in letters if _drawn(font, letter) == none)


def _drawn(font: ImageFont.FreeTypeFont, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)
