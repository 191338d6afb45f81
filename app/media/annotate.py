"""Draws detections over a picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from app.media.picture import upright
from app.messages import Box, Detection, Label

_PERSON = (255, 111, 0)
_THING = (0, 200, 220)
_STILL = (205, 206, 212)
_INK = (0, 0, 0)
"""Legible on all of them (contrast over 7:1)."""

_SMALLEST_SIDE = 240
"""A smaller picture is enlarged, so that a name has room beside what it names."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_Rect = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


def annotate(picture: bytes, detection: Detection) -> bytes:
    """The picture as an upright JPEG with each label's boxes and name, and its confidence on the first box.

    Persons are orange, what stands still is grey, all else is cyan. A picture less than 240 pixels high or wide is
    enlarged. Raises `BadPicture`.
    """
    image = _roomy(upright(picture))
    draw = ImageDraw.Draw(image)
    short = min(image.size)
    stroke = max(2, short // 240)
    font = _font(max(13, short // 32))
    marks = [mark for label in detection.labels for mark in _marks(label, image.size)]
    marks.sort(key=lambda mark: mark.colour == _PERSON)  # drawn last, so on top
    for mark in marks:
        _outline(draw, mark, stroke=stroke)
    taken: list[_Rect] = []
    for mark in reversed(marks):
        tag = _Tag(mark, font, image.width)
        tag.draw(draw, _place(tag, mark.box, image.size, taken))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88, subsampling=0)  # thin lines keep their colour
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class _Mark:
    """What is drawn for one box."""

    box: _Rect
    text: str
    colour: tuple[int, int, int]


def _marks(label: Label, size: tuple[int, int]) -> Iterator[_Mark]:
    name = " ".join(label.name.split())
    for number, box in enumerate(label.boxes):
        # The confidence is that of the surest, which is the first.
        text = name if number else f"{name} {label.confidence:.0%}"
        colour = _STILL if box.still else _PERSON if label.name == "Person" else _THING
        yield _Mark(_corners(box, size), text, colour)


class _Tag:
    """A name and a percentage on a coloured ground."""

    def __init__(self, mark: _Mark, font: Font, widest: int) -> None:
        self.colour = mark.colour
        self.font = font
        _, top, _, bottom = font.getbbox("Åg")  # the same height for every text
        self.pad = max(2, round((bottom - top) * 0.2))
        self.text = _shortened(mark.text, font, widest - 2 * self.pad)
        self.width = round(font.getlength(self.text)) + 2 * self.pad
        self.height = round(bottom - top) + 2 * self.pad
        self.drop = self.pad - top

    def draw(self, draw: ImageDraw.ImageDraw, at: _Rect) -> None:
        draw.rectangle((at[0], at[1], at[2] - 1, at[3] - 1), fill=self.colour)
        draw.text((at[0] + self.pad, at[1] + self.drop), self.text, fill=_INK, font=self.font)


def _shortened(text: str, font: Font, widest: float) -> str:
    if font.getlength(text) <= widest:
        return text
    while text and font.getlength(text + "…") > widest:
        text = text[:-1]
    return text + "…"


def _place(tag: _Tag, box: _Rect, size: tuple[int, int], taken: list[_Rect]) -> _Rect:
    """Where a tag goes: above, inside or below its box, but in the picture and clear of the other tags."""
    left = max(0, min(box[0], size[0] - tag.width))
    lowest = max(0, size[1] - tag.height)
    tops = [box[1] - tag.height, box[1], box[3]]
    tops += [box[1] + step * tag.height for step in range(1, 1 + size[1] // tag.height)]
    rects = [(left, top, left + tag.width, top + tag.height) for top in tops if 0 <= top <= lowest]
    free = (rect for rect in rects if not any(_overlap(rect, other) for other in taken))
    top = max(0, min(box[1], lowest))
    rect = next(free, (left, top, left + tag.width, top + tag.height))
    taken.append(rect)
    return rect


def _overlap(one: _Rect, other: _Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _outline(draw: ImageDraw.ImageDraw, mark: _Mark, *, stroke: int) -> None:
    # The dark rim keeps the line visible on a background of its own colour.
    left, top, right, bottom = mark.box
    draw.rectangle(mark.box, outline=_INK, width=stroke + 2)
    draw.rectangle((left + 1, top + 1, right - 1, bottom - 1), outline=mark.colour, width=stroke)


def _corners(box: Box, size: tuple[int, int]) -> _Rect:
    """A box in pixels, cut to the picture and at least a few pixels large."""
    right, bottom = size[0] - 1, size[1] - 1
    x0 = min(max(0, round(box.left * size[0])), right - 4)
    y0 = min(max(0, round(box.top * size[1])), bottom - 4)
    x1 = min(max(x0 + 4, round((box.left + box.width) * size[0])), right)
    y1 = min(max(y0 + 4, round((box.top + box.height) * size[1])), bottom)
    return x0, y0, x1, y1


def _roomy(image: Image.Image) -> Image.Image:
    factor = _SMALLEST_SIDE / min(image.size)
    if factor <= 1 or max(image.size) * factor > 4096:
        return image
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)


@lru_cache(maxsize=32)
def _font(size: int) -> Font:
    return ImageFont.load_default(size=size)
