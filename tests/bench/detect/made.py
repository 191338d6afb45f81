"""A set of pictures made by code, as a home's triggers bring them: most show nobody, and some make it hard.

Figures and places are those of the demo cameras: drawings, of which a model that learnt from photographs sees fewer
than of real people. The set compares detectors and tiers; a folder of real pictures says how good one is.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.cameras.demo.cat import draw_cat
from app.cameras.demo.daylight import daylight, mix
from app.cameras.demo.figure import Clothes, draw_person
from app.cameras.demo.scene import PLACES, draw_scene
from app.messages import PERSON, Box
from tests.bench.detect.pictures import LabelledPicture, Thing

ONE_IN = 7
"""So many pictures is the one with people: a home's triggers are mostly leaves, light and cats."""
EMPTY_SHARE = 1 - 1 / ONE_IN
"""Of the pictures that show nobody."""
SIZE = (1280, 720)
SEEN = 0.35
"""Share of a figure that has to be in the picture to count as there."""

_COLOURS = ((178, 44, 40), (44, 86, 150), (226, 186, 60), (60, 60, 66), (112, 60, 128), (40, 48, 74), (58, 52, 48))
_PLACES = tuple(sorted(PLACES))

GROUPS = ("day", "night", "noise", "rain", "small", "cut", "crowd")
"""What is special about a picture; of each there are as many."""


def made(count: int, *, seed: int = 1) -> Iterator[LabelledPicture]:
    """So many pictures of `SIZE`, the same scenes for the same seed; `EMPTY_SHARE` of each group without a person."""
    chance = random.Random(seed)
    for number in range(count):
        row, group = divmod(number, len(GROUPS))
        yield _drawn(f"{GROUPS[group]}-{number:04}", GROUPS[group], chance, people=row % ONE_IN == 0)


def _drawn(name: str, group: str, chance: random.Random, *, people: bool) -> LabelledPicture:
    hour = 1.0 if group == "night" else chance.choice((9.0, 13.0, 17.0))
    picture = _place(chance.choice(_PLACES), hour, chance.randrange(3)).copy()
    things = [_put(picture, group, hour, chance) for _ in range(_people(group, chance))] if people else []
    if not people and chance.random() < 0.3:
        cat = draw_cat(chance.randrange(60, 120), chance.random(), facing=1, colour=(214, 140, 70))
        _paste(picture, cat, hour, chance)
    if group in _SPOILT:
        picture = _SPOILT[group](picture, chance)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return LabelledPicture(name, file.getvalue(), *SIZE, tuple(thing for thing in things if thing), group)


def _people(group: str, chance: random.Random) -> int:
    return chance.randrange(4, 9) if group == "crowd" else chance.choice((1, 1, 1, 2))


@cache
def _place(place: str, hour: float, seed: int) -> Image.Image:
    return draw_scene(place, daylight(hour), seed=seed)


def _put(picture: Image.Image, group: str, hour: float, chance: random.Random) -> Thing | None:
    height = chance.randrange(40, 90) if group == "small" else chance.randrange(180, 420)
    colours = [chance.choice(_COLOURS) for _ in range(3)]
    facing = chance.choice((-1, 1))
    figure = draw_person(height, chance.random(), facing=facing, clothes=Clothes(*colours))
    x = chance.choice((-figure.width // 3, SIZE[0] - 2 * figure.width // 3)) if group == "cut" else None
    return _thing(_paste(picture, figure, hour, chance, x=x))


def _paste(
    picture: Image.Image, figure: Image.Image, hour: float, chance: random.Random, *, x: int | None = None
) -> tuple[int, int, int, int]:
    """Where it stands now: left, top, right, bottom in pixels, over the edge where it is cut."""
    left = chance.randrange(0, SIZE[0] - figure.width) if x is None else x
    feet = chance.randrange(480, 715) if figure.height < 100 else chance.randrange(max(480, figure.height), 715)
    top = feet - figure.height
    shine = mix(daylight(hour).light, (255, 255, 255), 0.2)
    lit = ImageChops.multiply(figure.convert("RGB"), Image.new("RGB", figure.size, shine))
    picture.paste(lit, (left, top), figure.getchannel("A"))
    inner = figure.getchannel("A").getbbox() or (0, 0, *figure.size)
    return left + inner[0], top + inner[1], left + inner[2], top + inner[3]


def _thing(sides: tuple[int, int, int, int]) -> Thing | None:
    """What can be seen of a figure; None where that is too little."""
    left, top, right, bottom = sides
    shown = max(0, left), max(0, top), min(SIZE[0], right), min(SIZE[1], bottom)
    width, height = shown[2] - shown[0], shown[3] - shown[1]
    if width * height < SEEN * (right - left) * (bottom - top):
        return None
    return Thing(PERSON, Box(shown[0] / SIZE[0], shown[1] / SIZE[1], width / SIZE[0], height / SIZE[1]))


def _noisy(picture: Image.Image, chance: random.Random) -> Image.Image:
    del chance  # Pillow's noise has a chance of its own
    noise = Image.effect_noise(SIZE, 70)
    return Image.blend(picture, Image.merge("RGB", (noise, noise, noise)), 0.25)


def _rainy(picture: Image.Image, chance: random.Random) -> Image.Image:
    drops = Image.new("L", SIZE)
    draw = ImageDraw.Draw(drops)
    for _ in range(700):
        x, y, length = chance.randrange(SIZE[0]), chance.randrange(SIZE[1]), chance.randrange(12, 40)
        draw.line((x, y, x - length // 4, y + length), fill=150, width=1)
    soft = picture.filter(ImageFilter.GaussianBlur(1.5))
    soft.paste((214, 220, 226), mask=drops)
    return soft


_SPOILT: dict[str, Callable[[Image.Image, random.Random], Image.Image]] = {"noise": _noisy, "rain": _rainy}
