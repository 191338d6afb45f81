"""Privacy masks by the whole service: what they hide is in no copy, wherever a picture came from and went to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.e2e.conftest import Launch
from tests.e2e.peers import Consumer, House
from tests.e2e.process import until
from tests.e2e.pushing import Pushed
from tests.fakes.bursts import walker
from tests.fakes.http_double import HttpDouble, Reply, http_double
from tests.fakes.pictures import decoded

HIDDEN = (0.0, 0.0, 0.25, 0.3)
"""Left, top, right and bottom of what nobody is to see, which is bright magenta there and nowhere else."""
MASK = [[0, 0], [0.25, 0], [0.25, 0.3], [0, 0.3]]


def secret(step: int) -> bytes:
    """Somebody who walks through a garden, a magenta window above, and a thumbnail of both in the EXIF."""
    image = decoded(walker(step))
    box = [part * side for part, side in zip(HIDDEN, (*image.size, *image.size), strict=True)]
    ImageDraw.Draw(image).rectangle((box[0], box[1], box[2] - 4, box[3] - 4), fill="magenta")
    small, exif = io.BytesIO(), Image.Exif()
    image.resize((80, 45)).save(small, "JPEG")
    exif[0x010E] = "described by the camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, exif=exif.tobytes() + small.getvalue())
    return out.getvalue()


def shows(data: bytes) -> bool:
    """Whether any pixel of any of its frames is what is to be hidden."""
    image = Image.open(io.BytesIO(data))
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        red, green, blue = image.convert("RGB").split()
        both = [channel.point(lambda value: 255 if value > 150 else 0) for channel in (red, blue)]
        low = green.point(lambda value: 255 if value < 100 else 0)
        if any(all(pixel) for pixel in zip(*(band.tobytes() for band in (*both, low)), strict=True)):
            return True
    return False


def masked(data: bytes) -> bool:
    """Whether all that is hidden is black, but for an edge of which an encoder makes something else."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    width, height = image.size
    part = image.crop((0, 0, int(width * HIDDEN[2]) - 8, int(height * HIDDEN[3]) - 8))
    return max(part.tobytes()) < 24


@pytest.fixture
def camera() -> Iterator[HttpDouble]:
    """In front of it, somebody takes a step from one picture to the next."""
    steps = count(1)
    with http_double() as server:
        server.answer = lambda _: Reply(headers={"Content-Type": "image/jpeg"}, body=[secret(next(steps) % 10)])
        yield server


def test_what_a_mask_hides_is_in_no_copy(launch: Launch, house: House, camera: HttpDouble, tmp_path: Path) -> None:
    assert shows(secret(0))
    yard = {
        "kind": "still",
        "location": "Yard",
        "url": f"{camera.url}/still.jpg",
        "burst": {"frames": 3, "pace": 0.05},
        "masks": [MASK],
    }
    (tmp_path / "archive").mkdir()
    archive = {"dir": str(tmp_path / "archive"), "frames": "all"}
    pushed = Pushed(launch, house, "Gate", more=[yard], archive=archive).start()
    service = pushed.service
    zone = {"points": MASK, "private": True}
    with Consumer(house) as consumer:
        assert service.http("PUT", "/api/cameras/gate/zones/window", json=zone).status_code == 200
        sent = [secret(5), secret(6)[:-300], b"a video of it"]
        for name, data in zip(("a.jpg", "b.jpg", "c.mp4"), sent, strict=True):
            pushed.push("Gate", name, data)
        taken = service.http("POST", "/api/cameras/yard/trigger?wait=20").json()
        assert taken["frames"] == 3
        files = {"image": ("d.jpg", secret(7), "image/jpeg")}
        by_hand = service.http("POST", "/api/snapshots", files=files, data={"camera": "Gate"})
        assert by_hand.status_code == 202, by_hand.text
        until(lambda: len(consumer.latest) >= 3, what="an event for each picture")
        until(pushed.idle, what="nothing left to do")
    images = [event.entry["image"] for event in consumer.latest]
    gif = until(lambda: service.http("GET", taken["animation_url"]).content, what="the animation")
    for event in service.http("GET", "/api/snapshots").json()["snapshots"]:
        one = f"/api/snapshots/{event['event_id']}"
        images += [service.http("GET", f"{one}/{kind}").content for kind in ("image", "preview", "annotated")]
        images += [service.http("GET", frame["url"]).content for frame in event.get("frame_pictures", ())]
        assert not shows(service.http("GET", f"{one}/thumbnail").content)
    assert not [one for one in images if shows(one) or not masked(one)]
    assert not shows(gif)
    assert pushed.quarantined == []
    assert not [*service.home.glob("data/videos/**/*.mp4")]
    until(lambda: len([*(tmp_path / "archive").rglob("*.jpg")]) >= 5, what="everything archived")
    service.terminate()
    assert service.wait() == 0
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    pictures = [path for path in everything if path.suffix in (".jpg", ".gif", ".png", ".webp")]
    assert len(pictures) >= 10
    assert not [path for path in pictures if shows(path.read_bytes())]
    assert not [path for path in everything if b"described by the camera" in path.read_bytes()]
    assert service.log_lines(
        "video deleted: its camera has privacy masks or a crop", name="uploads/snapshots/gate/c.mp4"
    )
