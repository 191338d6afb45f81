"""What is done to a camera's pictures: settings and drawn masks together, for every way in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.bootstrap.booth import booth_of
from app.bootstrap.service import Service
from app.config.settings import load
from app.media.adjustments import AS_IT_CAME, Polygon
from app.rules.model import Zone
from tests.fakes.pictures import decoded

UPPER: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5))
LOWER: Polygon = ((0.0, 0.6), (1.0, 0.6), (1.0, 0.9))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Service]:
    def make(**environ: str) -> Service:
        cameras = {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Yard", "OUTPUT_1_KIND": "demo"}
        other = {"OUTPUT_2_TYPE": "Camera", "OUTPUT_2_LOCATION": "Gate", "OUTPUT_2_KIND": "demo"}
        given = {"DATA_DIR": str(tmp_path), "DETECTOR_KIND": "none", **cameras, **other, **environ}
        return Service(load(None, given), version="1.2.3")

    return make


def test_masks_of_settings_and_drawn_ones_hold_together_for_every_way_in(made: Callable[..., Service]) -> None:
    service = made(OUTPUT_1_MASKS=json.dumps([UPPER]))
    core, channels = service.core, service.channels
    assert core.adjustments("Yard Camera").masks == channels["Yard Camera"].adjustments().masks == (UPPER,)
    assert core.adjustments("Gate Camera") == core.adjustments("Nobody's Camera") == AS_IT_CAME
    core.rules.put_zone(Zone(camera="yard", name="window", points=LOWER, private=True))
    core.rules.put_zone(Zone(camera="Gate", name="path", points=LOWER))
    assert core.adjustments("Yard Camera").masks == channels["Yard Camera"].adjustments().masks == (UPPER, LOWER)
    assert core.adjustments("Gate Camera") == AS_IT_CAME
    assert service.web is not None
    assert service.web._context.cameras["Yard Camera"].masks == (UPPER,)


def test_the_booth_s_camera_is_masked_too(made: Callable[..., Service], tmp_path: Path) -> None:
    service = made(BOOTH_ENABLED="true", BOOTH_CAMERA="Yard Camera", OUTPUT_1_MASKS=json.dumps([UPPER]))
    booth = booth_of(service.core, service.channels, page=lambda _guest, _seconds: "")
    assert booth is not None
    booth.open()
    guest = booth.start().guest
    booth.picture(guest, 0)
    (frame,) = tmp_path.rglob("frame-0.jpg")
    image = decoded(frame.read_bytes())
    assert max(image.crop((0, 0, image.width, image.height // 2 - 8)).tobytes()) < 24 < max(image.tobytes())
