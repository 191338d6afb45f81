"""The demo camera needs no hardware: it draws places around a house, with a person walking past."""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from PIL import Image, ImageChops, ImageDraw, ImageFont
from pydantic import Field

from app.cameras import CameraSettings, Frame
from app.cameras.address import Networks
from app.cameras.demo.cat import draw_cat
from app.cameras.demo.daylight import Colour, Daylight, daylight, mix
from app.cameras.demo.figure import Clothes, draw_person
from app.cameras.demo.scene import PLACES, draw_scene

CYCLE = 36.0
"""Seconds from one visitor to the next."""

WALK = CYCLE * 2 / 3
"""Seconds a person takes to cross the picture; for the rest of the cycle it is empty, or has a cat."""

QUALITY = 85
"""Of the JPEG, on Pillow's scale."""

_COATS: tuple[Colour, ...] = ((178, 44, 40), (44, 86, 150), (226, 186, 60), (60, 60, 66), (112, 60, 128))
_TROUSERS: tuple[Colour, ...] = ((40, 48, 74), (58, 52, 48), (36, 36, 40))
_HAIR: tuple[Colour, ...] = ((60, 40, 28), (30, 26, 24), (150, 104, 56), (150, 150, 150))
_FUR: tuple[Colour, ...] = ((214, 140, 70), (70, 66, 66), (226, 220, 208))

Waypoint = tuple[float, float, float]
"""x and y of the feet in pixels, and how tall a person is there."""

_PATHS: dict[str, tuple[Waypoint, Waypoint]] = {
    "front": ((30, 648, 272), (1250, 630, 264)),
    "garden": ((30, 700, 312), (1250, 596, 236)),
    "drive": ((30, 690, 300), (1250, 656, 280)),
}


class DemoSettings(CameraSettings):
    """A drawn camera."""

    kind: Literal["demo"] = "demo"
    place: Literal["front", "garden", "drive"] | None = Field(
        default=None, description="Scene that is drawn; the one that the location names, or any, unless set."
    )


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person or a cat in the picture."""

    person: bool
    number: int
    """Counts visitors; their looks depend on it."""
    way: float
    """How much of the way from the left to the right edge they are at, 0 to 1."""
    facing: int
    """1 when walking to the right, -1 to the left."""


class Demo:
    """One drawn camera. Having no address, it ignores `networks` and `device_params`, which every camera gets."""

    Settings = DemoSettings

    def __init__(self, settings: DemoSettings, *, networks: Networks, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns the Unix time to draw."""
        del networks
        self._name = settings.device_key
        self._seed = zlib.crc32(self._name.encode())
        self._place = settings.place or _place_of(settings.location, self._seed)
        self._clock = clock
        self._font = ImageFont.load_default(size=22)
        self._background: tuple[str, Image.Image] | None = None

    def snapshot(self, device_params: str | None = None) -> Frame:
        del device_params
        now = self._clock()
        moment = datetime.fromtimestamp(now, UTC).astimezone()  # the zone people read clocks in
        light = daylight(moment.hour + moment.minute // 15 / 4)
        picture = self._empty(f"{moment:%H}{moment.minute // 15}", light).copy()
        visitor = self.visitor(now)
        if visitor is not None:
            self._put(visitor, picture, light)
        self._caption(picture, f"{self._name}   {moment:%Y-%m-%d %H:%M:%S}")
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=QUALITY)
        return Frame(file.getvalue())

    def close(self) -> None:
        """Nothing to close."""

    def visitor(self, now: float) -> Visitor | None:
        """The visitor at this Unix time, if any; each camera has its own timetable."""
        number, elapsed = divmod(now + self._seed % 10_000, CYCLE)
        facing = 1 if (self._seed + int(number)) % 2 else -1
        if elapsed < WALK:
            share = elapsed / WALK
        elif number % 2:
            share = (elapsed - WALK) / (CYCLE - WALK)
        else:
            return None
        return Visitor(elapsed < WALK, int(number), share if facing > 0 else 1 - share, facing)

    def _empty(self, key: str, light: Daylight) -> Image.Image:
        """The place without visitors, redrawn when the light has changed."""
        if self._background is None or self._background[0] != key:
            self._background = (key, draw_scene(self._place, light, seed=self._seed))
        return self._background[1]

    def _put(self, visitor: Visitor, picture: Image.Image, light: Daylight) -> None:
        start, end = _PATHS[self._place]
        x, y, height = (a + (b - a) * visitor.way for a, b in zip(start, end, strict=True))
        looks = self._seed + visitor.number
        stride = visitor.way * visitor.facing * (end[0] - start[0]) / (0.62 * height)
        if visitor.person:
            clothes = Clothes(_pick(_COATS, looks), _pick(_TROUSERS, looks), _pick(_HAIR, looks // 2))
            figure = draw_person(round(height), stride, facing=visitor.facing, clothes=clothes)
        else:
            # Nearer than people walk: farther off, a cat below a tree makes a person to some detectors.
            y = min(y + 24, 712)
            figure = draw_cat(round(height * 0.4), stride * 2, facing=visitor.facing, colour=_pick(_FUR, looks))
        _shadow(picture, x, y, figure.width * (0.24 if visitor.person else 0.42))
        shine = mix(light.light, (255, 255, 255), 0.2)  # a visitor near the lamps is lit better than the lawn
        lit = ImageChops.multiply(figure.convert("RGB"), Image.new("RGB", figure.size, shine))
        picture.paste(
            lit,
            (round(x - figure.width / 2), round(y - figure.height + height * 0.02)),
            figure.getchannel("A"),
        )

    def _caption(self, picture: Image.Image, text: str) -> None:
        draw = ImageDraw.Draw(picture)
        draw.text((24, 18), text, font=self._font, fill=(255, 255, 255), stroke_width=2, stroke_fill=(30, 30, 30))


def _place_of(location: str, seed: int) -> str:
    named = (place for place in PLACES if place in location.lower())
    return next(named, sorted(PLACES)[seed % len(PLACES)])


def _pick(palette: tuple[Colour, ...], number: int) -> Colour:
    return palette[number % len(palette)]


def _shadow(picture: Image.Image, x: float, y: float, across: float) -> None:
    left, top, right, bottom = (
        round(x - across),
        round(y - across * 0.16),
        round(x + across),
        round(y + across * 0.16),
    )
    mask = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=70)
    picture.paste((20, 24, 20), (left, top), mask)
