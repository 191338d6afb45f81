"""Whether two pictures of one camera show the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.media.picture import MAX_PIXELS, upright

WIDTH = 320
"""Pixels it is scaled to first."""
PARTS = (16, 9)
"""Of a picture, across and down: in the smallest that counts stands a person at the other end of a garden."""
MOST_BITS = 8
"""Of the 64 of a perceptual hash that differ in the same scene: noise alone changes up to 6."""
MOST_LEVELS = 2.5
"""Of 255 by which a part of the picture may change: noise and the clock in the picture's corner make less than 2."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A picture, as far as two are compared."""

    hash: Any
    """pHash of OpenCV: what the scene is. Somebody who walks through it hardly changes that."""
    parts: Any
    """How light each part is, 0..255."""

    def alike(self, other: Fingerprint) -> bool:
        """Whether the other one shows the same scene, with nothing in it that moved."""
        import cv2

        bits = cv2.norm(self.hash, other.hash, cv2.NORM_HAMMING)
        return bits <= MOST_BITS and float(abs(self.parts - other.parts).max()) <= MOST_LEVELS


def fingerprint(picture: bytes, *, max_pixels: int = MAX_PIXELS) -> Fingerprint:
    """Of a picture that decodes. Raises `BadPicture`. Loads OpenCV (40 MB) when it is called first."""
    import cv2
    import numpy as np

    grey = np.asarray(upright(picture, width=WIDTH, max_pixels=max_pixels).convert("L"))
    parts = cv2.resize(grey.astype(np.float32), PARTS, interpolation=cv2.INTER_AREA)
    return Fingerprint(cv2.img_hash.pHash(grey), parts)
