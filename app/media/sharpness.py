"""How sharp a picture is, to choose among pictures of one scene."""

from __future__ import annotations

from PIL import ImageFilter, ImageStat

from app.media.picture import upright

WIDTH = 640
"""Pixels it is scaled to first: the sharpness that a person sees on a phone counts, not the noise of single pixels."""

LAPLACE = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


def sharpness(picture: bytes) -> float:
    """The variance of the picture's second derivative: 0 for a plain surface, more the more edges it has.

    The usual focus measure (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy").
    Raises `app.media.picture.BadPicture`.
    """
    grey = upright(picture, width=WIDTH).convert("L")
    return float(ImageStat.Stat(grey.filter(LAPLACE)).var[0])
