"""The colours of sky and light for each hour of a day."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Daylight:
    """The light at one time of day."""

    hour: float
    zenith: Colour
    horizon: Colour
    light: Colour
    """The light on things: white leaves them as they are."""

    @property
    def lamps(self) -> bool:
        """Whether it is dark enough for lamps, lit windows and stars."""
        return sum(self.light) < 480

    @property
    def sun(self) -> bool:
        return 6.5 <= self.hour <= 19.5


_DAY = (
    Daylight(0.0, (14, 20, 44), (38, 48, 84), (104, 114, 158)),
    Daylight(5.0, (22, 30, 62), (74, 74, 110), (116, 122, 164)),
    Daylight(6.5, (92, 118, 176), (250, 188, 140), (228, 216, 216)),
    Daylight(8.5, (104, 162, 226), (214, 232, 246), (246, 240, 226)),
    Daylight(13.0, (74, 144, 222), (196, 224, 246), (255, 255, 255)),
    Daylight(17.5, (92, 142, 206), (246, 222, 178), (252, 234, 204)),
    Daylight(19.5, (82, 84, 148), (244, 150, 96), (224, 206, 204)),
    Daylight(21.0, (28, 34, 74), (92, 80, 118), (122, 124, 168)),
    Daylight(24.0, (14, 20, 44), (38, 48, 84), (104, 114, 158)),
)
"""The year's average day; between two of these the light is mixed."""


def daylight(hour: float) -> Daylight:
    """The light at an hour of the day, 0 to 24 with fractions."""
    index = next(i for i, later in enumerate(_DAY[1:]) if hour <= later.hour)
    before, after = _DAY[index], _DAY[index + 1]
    share = (hour - before.hour) / (after.hour - before.hour)
    return Daylight(
        hour,
        mix(before.zenith, after.zenith, share),
        mix(before.horizon, after.horizon, share),
        mix(before.light, after.light, share),
    )


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A colour `share` (0 to 1) of the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
