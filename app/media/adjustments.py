"""What is done to each picture of a camera before anything else sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.messages import Box

Polygon = tuple[tuple[float, float], ...]
"""Corners in fractions of the picture's width and height."""

Quarter = Literal[0, 90, 180, 270]


@dataclass(frozen=True, slots=True)
class Adjustments:
    """Turned upright by its EXIF, then turned, cut and painted over, in this order."""

    rotate: Quarter = 0
    """Degrees clockwise."""
    crop: Box | None = None
    """What is left, in fractions of the turned picture."""
    masks: tuple[Polygon, ...] = ()
    """What is painted black, in fractions of what is left: of the picture as people see it."""
    keep_metadata: bool = True
    """Whether EXIF and the like stay in a picture that is not painted anew."""

    @property
    def repaints(self) -> bool:
        """Whether pixels change."""
        return bool(self.rotate or self.crop or self.masks)

    @property
    def hides(self) -> bool:
        """Whether something that the camera sees is to be nowhere."""
        return bool(self.crop or self.masks)


AS_IT_CAME = Adjustments()
