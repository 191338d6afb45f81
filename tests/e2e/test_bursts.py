"""Bursts by the whole service: several pictures of one event, also of one that a kill cut short."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest

from tests.e2e.process import ServiceProcess, until
from tests.fakes.bursts import walker


class WalkingCamera(ThreadingHTTPServer):
    """A camera in front of which somebody takes a step from one picture to the next."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked = 0
        self._lock = Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        Thread(target=self.serve_forever, daemon=True).start()

    def picture(self) -> bytes:
        with self._lock:
            self.asked += 1
            return walker(self.asked % 10)


class _Handler(BaseHTTPRequestHandler):
    server: WalkingCamera

    def do_GET(self) -> None:
        picture = self.server.picture()
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(picture)))
        self.end_headers()
        self.wfile.write(picture)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def camera() -> Iterator[WalkingCamera]:
    with WalkingCamera() as server:
        yield server
        server.shutdown()


def config(camera: WalkingCamera) -> dict[str, Any]:
    url = f"http://127.0.0.1:{camera.server_port}/still.jpg"
    burst = {"frames": 3, "pace": 0.05}
    return {
        "cameras": [
            {"kind": "still", "location": "Yard", "url": url, "burst": burst},
            {"kind": "still", "location": "Gate", "url": url},
        ],
        "archive": {"dir": "archive", "frames": "all"},
    }


def test_bursts_by_camera_and_by_trigger_killed_in_the_middle(tmp_path: Path, camera: WalkingCamera) -> None:
    (tmp_path / "archive").mkdir()
    with ServiceProcess(tmp_path, config=config(camera)) as service:
        service.start().wait_ready()

        def frames(event_id: str) -> list[dict[str, Any]]:
            found = service.http("GET", f"/api/snapshots/{event_id}").json()
            pictures: list[dict[str, Any]] = found["frame_pictures"]
            return pictures

        yard = service.http("POST", "/api/cameras/yard/trigger?wait=20").json()
        assert (yard["frames"], yard["best"], yard["detector"]) == (3, "sharpest of 3", "")
        assert [one["number"] for one in frames(yard["event_id"])] == [0, 1, 2]
        shown = service.http("GET", yard["image_url"]).content
        taken = [service.http("GET", one["url"]).content for one in frames(yard["event_id"])]
        assert shown in taken
        assert len(set(taken)) == 3
        until(lambda: len([*(tmp_path / "archive").rglob("*.jpg")]) == 4)
        metrics = service.http("GET", "/metrics").text
        assert 'burst_frames_total{camera="Yard Camera",outcome="ok"} 2.0' in metrics

        long = {"burst": {"frames": 30, "pace": 1}}
        event_id = service.http("POST", "/api/cameras/gate/trigger", json=long).json()["event_id"]
        until(lambda: len([*(tmp_path / "data/media").rglob(f"{event_id}/*.jpg")]) >= 2)
        single = service.http("POST", "/api/cameras/yard/trigger?wait=20", json={"burst": {"frames": 1}}).json()
        assert single["frames"] == 0  # it waited for no other camera's burst
        service.kill()
        service.start().wait_ready()
        until(lambda: service.http("GET", f"/api/snapshots/{event_id}").json()["frames"] >= 2)
        page = service.http("GET", "/api/snapshots?camera=gate").json()["snapshots"]
        assert [one["event_id"] for one in page] == [event_id]
        assert len(frames(event_id)) == page[0]["frames"] < 30
        assert service.http("DELETE", f"/api/snapshots/{event_id}").status_code == 204
        assert not [*(tmp_path / "data/media").rglob(f"{event_id}*")]
        service.terminate()
        assert service.wait() == 0
