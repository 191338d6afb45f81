"""The picture that all cameras of a measurement send."""

from __future__ import annotations

import io

from PIL import Image

SIZE = (1280, 720)


def draw() -> bytes:
    """A JPEG as busy as a camera's: soft shapes under a little noise."""
    shapes = Image.effect_noise((SIZE[0] // 16, SIZE[1] // 16), 90).resize(SIZE, Image.Resampling.BICUBIC)
    noise = Image.effect_noise(SIZE, 4)
    grey = Image.blend(shapes, noise, 0.3)
    picture = io.BytesIO()
    Image.merge("RGB", (grey, shapes, grey)).save(picture, "JPEG", quality=60)
    return picture.getvalue()
