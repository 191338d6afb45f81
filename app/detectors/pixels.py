"""From an encoded picture to the pixels that a detector on this machine looks at."""

from __future__ import annotations

from typing import Any

from app.detectors import DetectorRejected
from app.media.picture import BadPicture, describe, upright

CODES = {
    "undecodable": (
        "The detector could not read the picture.",
        "choose another picture size or format in the camera",
    ),
}
"""Code -> what happened, and what to do about it."""


def pixels(picture: bytes, *, long_side: int, grey: bool = False) -> Any:
    """A picture as seen upright: rows of BGR, or of grey, 8 bits each.

    A JPEG comes out at a half, quarter or eighth of its size where its longer side then still has `long_side`
    pixels, which is much cheaper. Raises `DetectorRejected`.
    """
    import numpy as np

    try:
        seen = describe(picture)
        if seen.format == "HEIC":  # OpenCV knows none
            image = np.asarray(upright(picture).convert("L" if grey else "RGB"))
            return image if grey else np.ascontiguousarray(image[:, :, ::-1])
    except BadPicture as bad:
        raise DetectorRejected(bad.code, bad.detail) from None
    return _decoded(picture, _flag(max(seen.width, seen.height), long_side, "GRAYSCALE" if grey else "COLOR"))


def _decoded(picture: bytes, flag: str) -> Any:
    import cv2
    import numpy as np

    try:
        found = cv2.imdecode(np.frombuffer(picture, np.uint8), getattr(cv2, flag))
    except cv2.error:
        found = None
    if found is None:
        raise DetectorRejected("undecodable", "OpenCV cannot decode the picture.")
    return found


def _flag(has: int, wanted: int, colours: str) -> str:
    """OpenCV's name for the way to decode."""
    for reduction in (8, 4, 2):
        if has >= reduction * wanted:
            return f"IMREAD_REDUCED_{colours}_{reduction}"
    return f"IMREAD_{colours}"
