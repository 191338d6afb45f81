"""RTSP against GStreamer's server: H.264 and H.265, over TCP and UDP, with its digest login, cold and warm."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from app.cameras import CameraRejected
from app.cameras.address import Networks
from app.cameras.rtsp import Rtsp
from tests.packages import install

PYTHON = "/usr/bin/python3"
PACKAGES = ("python3-gi", "gir1.2-gst-rtsp-server-1.0", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad")
SERVER = Path(__file__).parents[1] / "simulators/gstreamer_rtsp.py"
LOGIN = ("viewer", "p@ss:w/o%41rd")
SIZE = (320, 240)
BLUE = (20, 40, 200)
CODECS = {"libx264": "h264", "libx265": "h265"}


@contextmanager
def server(*arguments: str) -> Iterator[int]:
    """A running server's port."""
    with subprocess.Popen([PYTHON, str(SERVER), *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline() or 0)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a server that streams /h264 and /h265, each a picture that stays, for 20 s."""
    folder = tmp_path_factory.mktemp("streams")
    needed = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if subprocess.run([PYTHON, "-c", needed], capture_output=True, check=False).returncode:
        install(*PACKAGES)
    pipelines = {}
    for encoder, codec in CODECS.items():
        film(folder / f"{codec}.mp4", encoder)
        # Parameter sets once a second: with them before each part of a keyframe, GStreamer takes a part for a picture.
        parts = ["filesrc location=" + str(folder / f"{codec}.mp4"), "qtdemux", f"{codec}parse"]
        pipelines[f"/{codec}"] = f"( {' ! '.join(parts)} ! rtp{codec}pay name=pay0 config-interval=1 )"
    with server(json.dumps(pipelines), *LOGIN) as port:
        assert port, f"the tests need {', '.join(PACKAGES)} (Debian, Ubuntu: apt-get install)"
        yield f"127.0.0.1:{port}"


def film(path: Path, encoder: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=5, options={"g": "5", "bf": "0", "preset": "ultrafast"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((SIZE[1], SIZE[0], 3), BLUE, dtype=np.uint8), format="rgb24")
        for index in range(100):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def camera(url: str, **settings: Any) -> Rtsp:
    values = {"location": "Yard", "url": url, "username": LOGIN[0], "password": LOGIN[1], **settings}
    return Rtsp(Rtsp.Settings.model_validate(values), networks=Networks())


def colour(picture: bytes) -> Any:
    with Image.open(io.BytesIO(picture)) as image:
        assert (image.format, image.size) == ("JPEG", SIZE)
        return pytest.approx(image.getpixel((160, 120)), abs=12)


@pytest.mark.parametrize("path", CODECS.values())
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_stream_gives_a_picture(address: str, path: str, transport: str) -> None:
    assert colour(camera(f"rtsp://{address}/{path}", transport=transport).snapshot().data) == BLUE


def test_a_name_is_looked_up_and_asked_at_the_address_that_answers(address: str) -> None:
    one = camera(f"rtsp://localhost:{address.partition(':')[2]}/h264")  # ::1 comes first, where nobody listens
    assert colour(one.snapshot().data) == BLUE


def test_what_is_refused_is_told_apart(address: str) -> None:
    for path, password, code in (("h264", "wrong", "login_refused"), ("nowhere", LOGIN[1], "wrong_path")):
        with pytest.raises(CameraRejected, match=code):
            camera(f"rtsp://{address}/{path}", password=password).snapshot()


def test_a_warm_stream_gives_picture_after_picture(address: str) -> None:
    warm = camera(f"rtsp://{address}/h264", warm=True)
    (thread,) = warm.threads
    thread.start()
    try:
        for _ in range(16):  # longer than from one keyframe to the next
            assert colour(warm.snapshot().data) == BLUE
            time.sleep(0.1)
    finally:
        thread.stop()
        assert thread.join(5)
