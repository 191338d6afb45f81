"""Pictures of the demo's cameras at any moment, with where the visitor is in them."""

from __future__ import annotations

import io
from datetime import datetime
from functools import cache
from itertools import count

from PIL import Image, ImageChops

from app.cameras.address import Networks
from app.cameras.demo import CYCLE, Demo, DemoSettings, Visitor
from app.messages import Box

CAPTION = 60
"""Pixels at the top that show the time."""
NOISE = 24
"""Differences in brightness that JPEG makes by itself."""


class Scene:
    """What one of the demo's cameras sees in one quarter of an hour of a day, whose background is drawn once."""

    def __init__(self, location: str) -> None:
        self._now = 0.0
        self._camera = Demo(DemoSettings(location=location), networks=Networks([]), clock=lambda: self._now)
        self._empty: Image.Image | None = None
        self._shown: dict[str, tuple[bytes, Box | None]] = {}

    def moment(self, after: datetime, shows: str) -> datetime:
        """The first second from then on in which "person", "cat" or "nobody" is well in the picture."""
        return next(
            datetime.fromtimestamp(second, after.tzinfo)
            for second in count(int(after.timestamp()))
            if _shown(self._camera.visitor(second)) == shows
        )

    def picture(self, at: datetime) -> bytes:
        """The camera's JPEG of that moment."""
        self._now = at.timestamp()
        return self._camera.snapshot().data

    def shows(self, who: str, at: datetime) -> tuple[bytes, Box | None]:
        """The JPEG of a moment that `moment` gave, and where the visitor is in it: drawn for the first day only."""
        if who not in self._shown:
            picture = self.picture(at)
            self._shown[who] = picture, None if who == "nobody" else self._box(picture, at)
        return self._shown[who]

    def _box(self, picture: bytes, at: datetime) -> Box:
        """Where the visitor of that moment is: where the picture differs from one without anybody."""
        if self._empty is None:
            self._empty = _grey(self.picture(self._without_anybody(at)))
        differs = ImageChops.difference(_grey(picture), self._empty).point(lambda value: 255 * (value > NOISE))
        width, height = differs.size
        found = differs.crop((0, CAPTION, width, height)).getbbox()
        assert found is not None, "nobody is in the picture"
        left, top, right, bottom = found
        return Box(left / width, (top + CAPTION) / height, (right - left) / width, (bottom - top) / height)

    def _without_anybody(self, at: datetime) -> datetime:
        """A moment of the same quarter of an hour, for which the same place is drawn in the same light."""
        start = int(at.timestamp()) // 900 * 900
        seconds = range(start, start + int(2 * CYCLE))
        return datetime.fromtimestamp(next(s for s in seconds if self._camera.visitor(s) is None), at.tzinfo)


@cache
def _scene(location: str, _hour: int, _quarter: int) -> Scene:
    return Scene(location)


def scene(location: str, at: datetime) -> Scene:
    """The scene of this place and time of day."""
    return _scene(location, at.hour, at.minute // 15)


def _shown(visitor: Visitor | None) -> str:
    if visitor is None:
        return "nobody"
    if not 0.2 < visitor.way < 0.8:
        return "somebody at the edge"
    return "person" if visitor.person else "cat"


def _grey(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture)) as image:
        return image.convert("L")
