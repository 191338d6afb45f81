"""What a detector on this machine looks at: no more pixels than it needs, for they are what costs."""

from __future__ import annotations

from app.detectors.pixels import pixels
from tests.fakes.pictures import busy, encoded


def test_a_jpeg_is_decoded_no_larger_than_it_is_looked_at() -> None:
    picture = encoded(busy(800, 400), "JPEG")
    widths = [pixels(picture, long_side=side).shape[1] for side in (100, 101, 200, 201, 400, 401)]
    assert widths == [100, 200, 200, 400, 400, 800]
    assert pixels(picture, long_side=100).shape == (50, 100, 3)
    assert pixels(picture, long_side=100, grey=True).shape == (50, 100)
    assert pixels(encoded(busy(400, 800), "JPEG"), long_side=100).shape == (100, 50, 3)
