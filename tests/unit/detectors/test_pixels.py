"""What a detector on this machine looks at: no more pixels than it needs, for they are what costs."""

from __future__ import annotations

import pytest

from app.detectors.pixels import pixels
from tests.fakes.pictures import busy, encoded


@pytest.mark.parametrize(
    ("long_side", "seen"),
    [(100, (50, 100)), (101, (100, 200)), (200, (100, 200)), (201, (200, 400)), (400, (200, 400)), (401, (400, 800))],
)
@pytest.mark.parametrize("grey", [False, True])
def test_a_jpeg_is_decoded_no_larger_than_it_is_looked_at(long_side: int, seen: tuple[int, int], grey: bool) -> None:
    picture = encoded(busy(800, 400), "JPEG")
    assert pixels(picture, long_side=long_side, grey=grey).shape == (seen if grey else (*seen, 3))


def test_a_tall_one_too() -> None:
    assert pixels(encoded(busy(400, 800), "JPEG"), long_side=100).shape == (100, 50, 3)
