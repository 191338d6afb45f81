"""A day's work: cameras are added with `init`, which takes a picture with each before it writes config.yml."""

from __future__ import annotations

import os
import stat
from functools import cache
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cli.init_file import makes, of_make, place_of, text_of, wants_login
from app.cli.main import main
from app.config import settings
from app.config.settings import CAMERA_KINDS, load
from tests.fakes.cameras import jpeg
from tests.fakes.logging_state import restored_logging
from tests.simulators.camera import PASSWORD, USERNAME, CameraSimulator

SCHEMA = cache(settings.json_schema)
"""Made once: it takes a while."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(settings, "json_schema", SCHEMA)
    return tmp_path


def init(*arguments: str, typed: str = "") -> Result:
    return run("init", *arguments, typed=typed)


def run(*arguments: str, typed: str = "") -> Result:
    with restored_logging():
        return CliRunner().invoke(main, arguments, input=typed)


def test_a_digest_camera_is_asked_for_tried_and_written(home: Path) -> None:
    with CameraSimulator(jpeg()) as camera:
        url = camera.url("digest", "yard")
        answers = ["still", "Yard", url, USERNAME, "wrong", "y", "", "", "", "", PASSWORD, "n"]
        result = init(typed="\n".join(answers) + "\n")
        assert result.exit_code == 0, result.output
        (written,) = load(home / "config.yml", {}).cameras
        checked = run("cameras", "test", "yard")
    assert "WRONG   Yard Camera: " in result.output
    assert "ok      Yard Camera: " in result.output
    assert PASSWORD not in result.output
    assert checked.exit_code == 0
    assert (written.kind, written.device_key) == ("still", "Yard Camera")
    assert stat.S_IMODE((home / "config.yml").stat().st_mode) == 0o600
    first = (home / "config.yml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=config.schema.json"
    assert '"cameras"' in (home / "config.schema.json").read_text()
    assert "# Safer in a file of its own, which OUTPUT_1_PASSWORD_FILE names." in (home / "config.yml").read_text()


def test_options_answer_for_scripts_and_a_camera_that_fails_is_not_written(home: Path) -> None:
    (home / "pw").write_text(PASSWORD + "\n")
    with CameraSimulator(jpeg()) as camera:
        yard = f"kind=still,location=Yard,url={camera.url('digest', 'yard')},username={USERNAME},password_file=pw"
        gate = f'{{"make": "still", "location": "Gate", "url": "{camera.url("digest", "gate")}"}}'
        failed = init("--camera", yard, "--camera", gate)
        assert (failed.exit_code, (home / "config.yml").exists()) == (1, False)
        assert "nothing was written" in failed.stderr
        assert init("--camera", yard, "--camera", gate, "--no-test").exit_code == 0
    cameras = load(home / "config.yml", {}).cameras
    assert [camera.device_key for camera in cameras] == ["Yard Camera", "Gate Camera"]


@pytest.mark.parametrize("there", ["config.yml", "config/config.yml"])
def test_a_file_that_is_there_stays_as_it_is_and_gets_no_other_beside_it(home: Path, there: str) -> None:
    (home / "config").mkdir()
    (home / there).write_text("# mine\n")
    for arguments in ((), ("--camera", "make=demo,location=Yard")):
        refused = init(*arguments)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert f"{there} is there already" in refused.stderr
    assert [path.read_text() for path in home.rglob("*.yml")] == ["# mine\n"]


def test_it_goes_where_it_will_be_found(home: Path) -> None:
    (home / "config").mkdir()
    assert init("--camera", "make=demo,location=Yard").exit_code == 0
    assert load(home / "config" / "config.yml", {}).cameras[0].kind == "demo"


def test_what_root_writes_can_be_read_by_the_service(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "data").mkdir()
    given: list[tuple[str, int]] = []
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, uid, _gid: given.append((Path(path).name, uid)))
    assert init("--camera", "make=demo,location=Yard").exit_code == 0
    owner = (home / "data").stat().st_uid
    assert given == [("config.yml", owner), ("config.schema.json", owner)]


@pytest.mark.parametrize(
    ("camera", "says", "status"),
    [
        ("location=Yard,hush", "must be name=value with commas between", 2),
        ('{"location": hush', "begins like a JSON object and is none", 2),
        ("make=camtastic,location=Yard", "make is none of hikvision, dahua", 2),
        ("make=demo,location=Yard,password_file=away", "password_file cannot be read", 2),
        ("make=dahua,location=Yard,address=hush:99999", "cameras[0].address: expected a port", 78),
        ("make=demo", "cameras[0].location: is required", 78),
    ],
)
def test_what_makes_no_camera_is_said_without_a_password(home: Path, camera: str, says: str, status: int) -> None:
    refused = init("--camera", camera)
    assert (refused.exit_code, (home / "config.yml").exists()) == (status, False)
    assert says in refused.stderr
    assert "hush" not in refused.stderr


def test_every_make_is_a_camera_with_the_answers_that_are_asked_for(home: Path) -> None:
    places = {"address": "192.168.1.20", "device": "/dev/video0", "path": "/mnt/a.jpg", "argv": ["true"]}
    for make in makes():
        camera = {**of_make(make), "location": 'Yard: "the", #1'}
        if name := place_of(camera):
            url = f"{'rtsp' if make == 'rtsp' else 'http'}://192.168.1.20/x"
            camera[name] = url if name == "url" else places[name]
        if make in ("go2rtc", "frigate"):
            camera["stream"] = "yard"
        if wants_login(camera):
            camera |= {"username": "me", "password": "a: #b\x7f\"'"}
        (written,) = yaml.safe_load(text_of([camera]))["cameras"]
        assert written == camera
        assert CAMERA_KINDS.load(camera["kind"]).model_validate(written)
