"""A simulated camera on loopback for the adapters' tests."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from app.cameras.address import Networks
from tests.simulators.camera import CameraSimulator


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A JPEG of some 30 kB."""
    file = io.BytesIO()
    noise = Image.effect_noise((320, 240), 60)
    noise.convert("RGB").save(file, "JPEG", quality=80)
    return file.getvalue()


@pytest.fixture
def cameras(picture: bytes) -> Iterator[CameraSimulator]:
    """The simulator; what drips in it drips 20 bytes a second, so that tests need not wait long."""
    with CameraSimulator(picture, interval=0.05) as simulator:
        yield simulator


@pytest.fixture
def networks() -> Networks:
    """The default: private and loopback."""
    return Networks()
