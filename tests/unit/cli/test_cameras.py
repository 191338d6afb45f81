"""The commands that find cameras and try them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cameras.onvif import discovery
from app.cli.check import Verdict, pictures
from app.cli.main import main
from app.config.settings import load
from app.journal import Journal
from app.messages import Inspection, Snapshot
from tests.fakes.logging_state import restored_logging
from tests.fakes.pictures import busy, encoded
from tests.simulators.onvif import PASSWORD, USERNAME, OnvifDevice, Responder, responding

PICTURE = encoded(busy(64, 48))
CONFIG = """
data_dir: {folder}
detector: {{kind: none}}
cameras:
  - {{kind: onvif, location: Attic, address: "{address}", username: {username}, password: "{right}"}}
  - {{kind: onvif, location: Front Door, address: "{address}", username: {username}, password: "{password}"}}
"""


def config(folder: Path, device: OnvifDevice, password: str = PASSWORD) -> Path:
    file = folder / "config.yml"
    values = {"address": device.address, "username": USERNAME, "password": password, "right": PASSWORD}
    file.write_text(CONFIG.format(folder=folder, **values))
    return file


def run(*arguments: object) -> Result:
    with restored_logging():
        return CliRunner().invoke(main, [str(one) for one in arguments])


def test_a_camera_is_tried_and_says_what_it_is(tmp_path: Path) -> None:
    with OnvifDevice(PICTURE, clock_ahead=timedelta(days=3)) as device:
        result = run("--config", config(tmp_path, device), "cameras", "test", "front door", "--out", tmp_path / "x.jpg")
        lines = result.output.splitlines()
        assert result.exit_code == 0
        assert lines[0].startswith(f"ok      Front Door Camera: 64x48 JPEG, {len(device.picture):,} bytes, in ")
        assert "        Acme Eye 1, firmware 1.2" in lines
        assert lines[2:4] == [
            "        its clock is 3 days ahead of this machine's; the login allows for it",
            "        -> set the camera's clock, or let it ask a time server (NTP)",
        ]
        assert (tmp_path / "x.jpg").read_bytes() == device.picture
        assert not (tmp_path / "journal.db").exists()


def test_all_are_tried_and_what_fails_comes_with_what_to_do(tmp_path: Path) -> None:
    with OnvifDevice(PICTURE) as device:
        file = config(tmp_path, device, "wrong")
        result = run("--config", file, "cameras", "test", "--json")
        attic, door = map(json.loads, result.output.splitlines())
        assert (result.exit_code, attic["ok"], attic["format"], door["ok"]) == (1, True, "JPEG", False)
        assert door["problem"].startswith("login_refused: ")
        assert "a user of their own for ONVIF" in door["remedy"]
        assert device.refused == 1
        shown = run("--config", file, "cameras", "test", "Front Door Camera").output.splitlines()
        assert shown[1] == f"        -> {door['remedy']}"
        assert "--out is for one camera" in run("--config", file, "cameras", "test", "--out", "x").output
        assert "there are: " in run("--config", file, "cameras", "test", "Cellar").output


def test_check_warns_of_a_wrong_clock_and_an_address_that_lies(tmp_path: Path) -> None:
    with OnvifDevice(PICTURE, clock_ahead=timedelta(days=3), named="192.0.2.7") as device:
        settings = load(config(tmp_path, device), {})
        found = [*pictures.cameras(settings)][3:]
    assert [finding.verdict for finding in found] == [Verdict.OK, Verdict.WARNING, Verdict.WARNING]
    assert "3 days ahead" in found[1].text
    assert "it names 192.0.2.7 for its pictures" in found[2].text


def test_devices_are_found_and_ready_to_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = Responder(name="urn:uuid:2", addresses="https://127.0.0.1/onvif/device_service", deaf=0)
    with responding(Responder(deaf=0), twin) as group:
        monkeypatch.setattr(discovery, "GROUP", group)
        result = run("discover", "--seconds", 0.3)
        listed = json.loads(run("discover", "--seconds", 0.3, "--json").output)
    assert result.output.splitlines()[2] == "127.0.0.1:8899  Acme Eye  Eye-1     porch"
    cameras = yaml.safe_load(result.output.partition("\n\n")[2].partition("\n\n")[2])["cameras"]
    assert [(camera["kind"], camera["location"], camera["address"]) for camera in cameras] == [
        ("onvif", "Acme Eye", "127.0.0.1"),
        ("onvif", "Acme Eye 127.0.0.1:8899", "127.0.0.1:8899"),
    ]
    assert [camera.get("https", False) for camera in cameras] == [True, False]
    assert [device["hardware"] for device in listed] == ["Eye-1", "Eye-1"]


def test_where_nothing_answers_it_says_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with responding() as group:
        monkeypatch.setattr(discovery, "GROUP", group)
        result = run("discover", "--seconds", 0.1)
    assert result.exit_code == 1
    assert "--network host" in result.output


def test_cameras_are_listed_with_their_last_picture_and_no_login(tmp_path: Path, journal: Journal) -> None:
    file = tmp_path / "config.yml"
    file.write_text(
        f"data_dir: {tmp_path}\ntime_zone: UTC\ncameras:\n- {{kind: demo, location: Yard}}\n"
        "- {kind: still, location: Shed, url: 'http://me:hush@10.0.0.5/x?token=hush'}\n- {location: Attic}\n"
    )
    at = datetime(2026, 3, 4, 12, tzinfo=UTC)
    well = Snapshot("s1", "Shed Camera", "Shed", at, at, 0.1, "http", "/cache/1.jpg", 9, 4, 3)
    failed = replace(well, id="s2", taken_at=at + timedelta(hours=1), path="", size=0, problem="timeout: too late")
    for snapshot in (well, failed):
        journal.record(snapshot)
        journal.inspect(Inspection(snapshot, problem=snapshot.problem))
    head, yard, shed, attic = run("--config", file, "cameras").output.splitlines()
    assert head.split() == ["camera", "kind", "address", "last", "picture", "last", "problem"]
    assert yard.split() == ["Yard", "Camera", "demo", "never"]
    assert shed.split()[2:] == ["still", "http://10.0.0.5/x", "2026-03-04", "12:00:00", "timeout:", "too", "late"]
    assert attic.split() == ["Attic", "Camera", "foscam", "from", "triggers", "never"]
    assert [one["problem"] for one in json.loads(run("--config", file, "cameras", "list", "--json").output)] == [
        "",
        "timeout: too late",
        "",
    ]
