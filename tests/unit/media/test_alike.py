"""Whether two pictures show the same: noise and a clock are nothing new, somebody who walks is."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

from app.media.alike import fingerprint
from app.media.picture import BadPicture
from tests.fakes.bursts import walker


def noisy(picture: bytes, seed: int) -> bytes:
    """The same with a clock in its corner, as a cheap sensor sees it at night."""
    image = Image.open(io.BytesIO(picture)).resize((960, 540))
    ImageDraw.Draw(image).text((600, 505), f"12:00:{seed:02d}", fill="white")
    light = np.asarray(image) + np.random.default_rng(seed).normal(0, 8, (540, 960, 3))
    image = Image.fromarray(light.clip(0, 255).astype(np.uint8))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def test_noise_and_the_clock_in_the_picture_are_nothing_new() -> None:
    assert fingerprint(noisy(walker(3), 1)).alike(fingerprint(noisy(walker(3), 58)))


def test_one_step_of_somebody_who_walks_is_something_new() -> None:
    seen = [fingerprint(walker(step)) for step in range(8)]
    assert not any(one.alike(next_one) for one, next_one in pairwise(seen))


def test_a_picture_that_does_not_decode_is_refused() -> None:
    with pytest.raises(BadPicture):
        fingerprint(walker(1)[:900])
