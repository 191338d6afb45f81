"""USB cameras, with a double of OpenCV's capture: there is no video device where tests run."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from app.cameras import CameraError
from app.cameras.address import Networks
from app.cameras.v4l2 import V4L2, V4l2Settings


class Webcam:
    """A device whose frames get lighter: each is 2 more than the one before."""

    def __init__(self, *, opens: bool = True, frames: int = 1000) -> None:
        self.opens = opens
        self.frames = frames
        self.size = (640, 480)
        self.asked: list[tuple[int, float]] = []
        self.shown = 0
        self.released = 0
        self.hanging: threading.Event | None = None

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def set(self, prop: int, value: float) -> bool:
        self.asked.append((prop, value))
        return True

    def grab(self) -> bool:
        self.shown += 1
        return self.shown <= self.frames

    def read(self) -> tuple[bool, Any]:
        if self.hanging:
            self.hanging.wait()
        if not self.grab():
            return False, None
        return True, np.full((self.size[1], self.size[0], 3), 2 * self.shown, dtype=np.uint8)

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "video0"
    path.touch()
    return path


def camera(device: Path, webcam: Webcam, **settings: object) -> V4L2:
    values = V4l2Settings.model_validate({"location": "Desk", "device": device, **settings})
    return V4L2(values, networks=Networks(), open_device=lambda path: webcam if path == str(device) else Webcam())


def failure(one: V4L2) -> str:
    with pytest.raises(CameraError) as caught:
        one.snapshot()
    return caught.value.code


def test_the_picture_is_the_first_frame_after_those_that_are_dropped(device: Path) -> None:
    webcam = Webcam()
    data = camera(device, webcam, warm_up=20).snapshot("u:p@10.0.0.1").data
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", (640, 480))
        assert image.convert("L").getpixel((9, 9)) == pytest.approx(42, abs=2)
    assert webcam.released == 1


def test_the_size_is_asked_for_after_the_format_that_has_it(device: Path) -> None:
    webcam = Webcam()
    camera(device, webcam, width=1920, height=1080).snapshot()
    format_, *size = webcam.asked
    assert format_ == (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    assert size == [(cv2.CAP_PROP_FRAME_WIDTH, 1920), (cv2.CAP_PROP_FRAME_HEIGHT, 1080)]


def test_each_failure_has_its_name_and_gives_the_device_back(device: Path) -> None:
    assert failure(camera(device.with_name("video7"), Webcam())) == "no_device"
    for webcam, code in ((Webcam(opens=False), "device_busy"), (Webcam(frames=3), "no_frame")):
        assert failure(camera(device, webcam)) == code
        assert webcam.released == 1
    assert failure(camera(device, Webcam(), max_bytes=1000)) == "too_large"


def test_a_device_that_belongs_to_others_is_named_as_such(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert failure(camera(device, Webcam())) == "no_access"


def test_a_device_that_hangs_holds_nobody_and_is_asked_once_at_a_time(device: Path) -> None:
    webcam = Webcam()
    webcam.hanging = threading.Event()
    one = camera(device, webcam, timeout=0.05)
    assert [failure(one), failure(one)] == ["timeout", "timeout"]
    assert webcam.shown == 10  # the second call did not reach it
    webcam.hanging.set()


def test_a_file_that_is_no_device_cannot_be_opened(device: Path) -> None:
    settings = V4l2Settings(location="Desk", device=device)
    assert failure(V4L2(settings, networks=Networks())) == "device_busy"


def test_width_and_height_belong_together() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        V4l2Settings(location="Desk", width=640)
