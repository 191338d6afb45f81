"""What people write where they know it from elsewhere is answered with where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config.settings import load
from pylib.settings.draft import ConfigError

FRIGATE = """
mqtt: {host: broker, user: me, password: hush}
cameras:
  front_door:
    ffmpeg:
      inputs: [{path: "rtsp://me:hush@192.168.1.20/stream1", roles: [detect]}]
    detect: {enabled: true}
"""


def problems(folder: Path, text: str) -> list[str]:
    file = folder / "config.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(file, {})
    return [problem.replace(f"{file}: ", "").replace(f"{file} ", "") for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "rtsp: rtsp://192.168.1.31/a",
            "rtsp (line 1): is a kind of camera: `cameras: [{kind: rtsp, location: Front Door, "
            "url: rtsp://192.168.1.20/stream1}]`",
        ),
        (
            "cameras:\n- location: Yard\n  rtsp: rtsp://me:hush@192.168.1.31/a",
            "cameras[0].rtsp (line 3): is a kind of camera: write `kind: rtsp` and `url: rtsp://192.168.1.20/stream1`",
        ),
        (
            "cameras: [{location: Yard, mqtt: {server_address: a}}]",
            "cameras[0].mqtt (line 1): is no part of a camera: `mqtt:` stands at the left edge, for all",
        ),
        ("mqtt: {host: a}", "mqtt.host (line 1): is `server_address` here: host, or host:port"),
        (
            "publishers: {mqtt: {server_address: a}}",
            "publishers (line 1): must be a list, whose entries name their kind: `publishers: [{kind: mqtt, ...}]`",
        ),
        (
            "webhook: {url: http://a}",
            "webhook (line 1): belongs into the list `publishers`: `publishers: [{kind: webhook, ...}]`",
        ),
    ],
)
def test_it_is_told_once_with_the_line_and_where_it_belongs(tmp_path: Path, text: str, said: str) -> None:
    assert problems(tmp_path, text) == [said]


def test_what_stands_right_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("mqtt: {server_address: a}\ncameras: [{location: Yard, command: snapPicture}]")
    assert load(file, {}).mqtt.server_address == "a"


def test_frigate_s_file_is_recognised_and_its_cameras_come_ready_to_be_copied(tmp_path: Path) -> None:
    first, *config, last = problems(tmp_path, FRIGATE)
    assert first.startswith("is a configuration of Frigate.")
    assert "snapshot-processor init" in last
    (tmp_path / "own.yml").write_text("\n".join(config).replace("FRIGATE", "192.168.1.9"))
    (camera,) = load(tmp_path / "own.yml", {}).cameras
    assert (camera.kind, camera.location) == ("still", "front_door")
    assert "hush" not in "".join((first, *config, last))
