"""Cameras of config.yml, changed by a program: checked with all the rest, secrets unseen, each comment where it was."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap.camera_config import ConfigCameras
from app.bootstrap.core import Core
from app.config.config_file import Trial
from app.config.settings import load
from app.web.camera_config import Unwritable, Wish
from app.web.errors import Conflict, NotFound, RequestRefused, Unprocessable
from tests.fakes.cameras import jpeg
from tests.fakes.http_double import Reply, http_double

CONFIG = """\
# The house
data_dir: {folder}/data
detector: {{kind: none}}
cameras:
  # at the street
  - location: Front Door   # by the bell
    address: 192.168.1.20
    username: viewer
    password: not-this-one  # of 2024
    masks: [[[0, 0], [0.3, 0], [0.3, 0.2]]]
  - {{kind: still, location: Garden, url: "http://guest:open@192.168.1.21/snap.jpg"}}
  - {{kind: command, location: Cellar, argv: [cat, "secret.jpg"]}}

# The broker is the neighbour's
rabbitmq: {{prefetch: 10}}
"""
FRONT = {"location": "Front Door", "address": "192.168.1.20", "username": "viewer"}
MASKS = [[[0, 0], [0.3, 0], [0.3, 0.2]]]


class House:
    """A configuration, and what changes it."""

    def __init__(self, folder: Path, text: str = CONFIG, environ: Mapping[str, str] | None = None) -> None:
        self.path = folder / "config.yml"
        self.path.write_text(text.format(folder=folder))
        self.environ = environ or {}
        self.core = Core.of(load(self.path, self.environ), version="1")
        self.stops: list[str] = []
        self.core.restart.allow(lambda: self.stops.append("stop"))
        self.config = ConfigCameras(self.core, self.environ)

    @property
    def text(self) -> str:
        return self.path.read_text()

    def save(self, values: dict[str, Any], name: str = "", **changes: Any) -> Any:
        return self.config.save(Wish(values, name=name, **changes))

    def refused(self, values: dict[str, Any], name: str = "", **changes: Any) -> RequestRefused:
        before = self.text
        with pytest.raises(RequestRefused) as caught:
            self.save(values, name, **changes)
        assert self.text == before
        assert not self.stops
        return caught.value


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_camera_is_added_and_every_other_line_stays(house: House) -> None:
    before = house.text
    saved = house.save({"kind": "still", "location": "Yard", "preset": "hikvision", "address": "cam", "password": "on"})
    added = """\
  - kind: still
    location: Yard
    preset: hikvision
    address: cam
    password: 'on'
"""
    assert house.text == before.replace("\n\n# The broker", f"\n{added}\n# The broker")
    assert house.path.with_name("config.yml.bak").read_text() == before
    assert house.stops == ["stop"]
    assert house.core.restart.wanted
    assert saved.key == "Yard Camera"
    assert Trial.of(house.path).running
    assert load(house.path, {}).cameras[-1].device_key == "Yard Camera"


def test_a_change_touches_its_own_words_and_an_empty_password_keeps_it(house: House) -> None:
    before = house.text
    house.save({**FRONT, "masks": MASKS, "timeout": 5}, "Front Door Camera")
    assert house.text == before.replace("0.2]]]\n", "0.2]]]\n    timeout: 5\n")
    house.save({**FRONT, "masks": MASKS, "password": "new: #1"}, "Front Door Camera")
    assert "    password: 'new: #1'  # of 2024\n" in house.text
    assert "timeout" not in house.text


def test_no_secret_is_shown_wherever_it_was_written(house: House) -> None:
    front, garden, cellar = house.config.cameras().cameras
    assert front.values == {**FRONT, "masks": MASKS}
    assert front.secrets == {"password"}
    assert garden.values == {
        "kind": "still",
        "location": "Garden",
        "url": "http://192.168.1.21/snap.jpg",
        "username": "guest",
    }
    assert garden.secrets == {"password"}
    assert cellar.values == {}
    assert "runs a program" in cellar.fixed
    house.save({**garden.values, "label": "Lawn"}, "Garden Camera")
    assert house.config.cameras().cameras[1].values["label"] == "Lawn"
    assert load(house.path, {}).cameras[1].password.get_secret_value() == "open"  # type: ignore[attr-defined]


def test_a_login_in_a_query_is_a_secret_too(tmp_path: Path) -> None:
    house = House(tmp_path, CONFIG.replace("guest:open@192.168.1.21/snap.jpg", "192.168.1.21/snap.cgi?user=a&pwd=bird"))
    garden = house.config.cameras().cameras[1]
    assert "bird" not in repr(garden)
    assert garden.secrets == {"url"}
    house.save({**garden.values, "label": "Lawn"}, "Garden Camera")
    assert "pwd=bird" in house.text


@pytest.mark.parametrize("change", [{"address": "192.168.1.66"}, {"https": True}, {"kind": "onvif"}, {"verify": False}])
def test_a_login_that_nobody_sees_goes_to_no_other_address(house: House, change: dict[str, Any]) -> None:
    assert "password: give it again" in house.refused({**FRONT, **change}, "Front Door Camera").detail
    with pytest.raises(Unprocessable, match="give it again"):
        house.config.try_out(Wish({**FRONT, **change}, name="Front Door Camera"))
    house.save({**FRONT, **change, "password": "again"}, "Front Door Camera")


def test_what_comes_from_the_environment_is_named_and_stays_there(tmp_path: Path) -> None:
    named = {"TYPE": "Camera", "LOCATION": "Front Door", "PASSWORD": "env-secret", "TIMEOUT": "7"}
    environ = {f"OUTPUT_1_{name}": value for name, value in named.items()}
    house = House(tmp_path, environ={**environ, "OUTPUT_2_TYPE": "Camera", "OUTPUT_2_LOCATION": "Attic"})
    front, *_, attic = house.config.cameras().cameras
    assert front.environment["timeout"] == "environment: OUTPUT_1_TIMEOUT"
    assert "env-secret" not in repr(front)
    assert attic.fixed == "it comes from environment: OUTPUT_2_TYPE"
    assert "change it there" in house.refused({**FRONT, "timeout": 9}, "Front Door Camera").detail
    assert "the file itself" in house.refused({**FRONT, "address": "1.2.3.4"}, "Front Door Camera").detail
    assert "environment" in house.refused({"location": "Attic"}, "Attic Camera").detail
    house.save({**FRONT, "label": "Door"}, "Front Door Camera")
    assert "password: not-this-one" in house.text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "still", "location": "Yard", "preset": "hikvison"}, "preset: 'hikvison' is not one of"),
        ({"kind": "still", "location": "Yard"}, "expected either url or preset"),
        ({"location": "Garden"}, "there is a camera at 'Garden' already"),
        ({"location": "frontdoor"}, "would both upload to the folder"),
        ({"location": "\uff26ront door"}, "there is a camera at '\uff26ront door' already"),
        ({"location": "Front Door\u200b"}, "location: must have no line ends and no other characters that nobody sees"),
        ({"location": "../../x\n- evil: 1"}, "location: must have no line ends"),
        ({"location": "x" * 61}, "location: at most 60 characters"),
        ({"kind": "command", "location": "Yard", "argv": ["id"]}, "runs a program"),
        ({"location": "Yard", "timeout": "fast"}, "timeout: 'fast' is not a number"),
        ({"location": "Yard", "colour": "red"}, "colour: is not a setting"),
        ({}, "location: must not be empty"),
    ],
)
def test_what_would_be_wrong_is_said_and_nothing_written(house: House, values: dict[str, Any], words: str) -> None:
    refusal = house.refused(values)
    assert words in refusal.detail
    assert "config.yml" not in refusal.detail or "program" in words


def test_the_whole_configuration_has_to_hold(tmp_path: Path) -> None:
    house = House(tmp_path, CONFIG + "hooks:\n  - {{name: bell, camera: Garden}}\n")
    with pytest.raises(Unprocessable, match=r"hooks\[0\].camera"):
        house.config.remove("Garden Camera")
    assert "Garden" in house.text


def test_a_file_that_somebody_else_changed_is_left_alone(house: House) -> None:
    version = house.config.cameras().version
    house.path.write_text(house.text + "# mine\n")
    refusal = house.refused({"location": "Yard"}, version=version)
    assert isinstance(refusal, Conflict)
    assert "changed by somebody else" in refusal.detail
    house.save({"location": "Yard"}, version=house.config.cameras().version)
    assert "# mine\n" in house.text


def test_a_broken_file_is_not_touched_and_says_why(house: House) -> None:
    house.path.write_text("cameras: [\n")
    assert "mend the configuration first" in house.config.cameras().problem
    assert "mend" in house.refused({"location": "Yard"}).detail


def test_a_camera_is_removed_with_all_that_names_it(tmp_path: Path) -> None:
    lists = "outputs:\n  - {{type: Camera, location: Garden}}\n  - {{type: Siren, location: Attic}}  # loud\n"
    login = "ftp:\n  logins:\n    - {{location: Garden, username: garden, password: x}}\n"
    house = House(tmp_path, CONFIG + lists + login)
    house.config.remove("Garden Camera")
    assert "Garden" not in house.text
    assert [camera.key for camera in house.config.cameras().cameras] == ["Front Door Camera", "Cellar Camera"]
    assert "# loud" in house.text
    with pytest.raises(NotFound):
        house.config.remove("Garden Camera")


def test_a_camera_that_sends_by_itself_gets_a_login_of_its_own(house: House) -> None:
    pushing = house.save({"location": "Yard"}, login=True).pushing
    (login,) = load(house.path, {}).ftp.logins
    assert (login.location, login.username) == ("Yard", pushing.username) == ("Yard", "yard")
    assert login.password.get_secret_value() == pushing.password
    assert len(pushing.password) >= 16
    assert pushing.folder == "/uploads/snapshots/yard"
    again = house.save({"location": "Yard"}, "Yard Camera", login=True).pushing
    assert again.password != pushing.password
    assert len(load(house.path, {}).ftp.logins) == 1


def test_a_login_of_its_own_is_called_as_no_other_is(tmp_path: Path) -> None:
    logins = "ftp: {{username: cam, password: x, logins: [{{location: Garden, username: cam-2, password: y}}]}}\n"
    house = House(tmp_path, CONFIG + logins)
    assert house.save({"location": "Cam"}, login=True).pushing.username == "cam-3"
    assert house.save({"location": "Cam"}, "Cam Camera", login=True).pushing.username == "cam-3"
    house.path.write_text(house.text.replace("cam-3", "cam"))
    house.stops.clear()
    assert "two FTP logins are called 'cam'" in house.refused({"location": "Yard"}).detail


def test_a_file_that_cannot_be_written_says_what_would_stand_in_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr("pylib.files.durable.write_private", read_only)
    refusal = house.refused({"location": "Yard", "password": "pw"})
    assert isinstance(refusal, Unwritable)
    assert "Read-only file system" in refusal.detail
    assert refusal.text == "cameras:\n  - location: Yard\n    password: (as you know it)\n"
    assert not Trial.of(house.path).running


def test_without_a_file_one_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    core = Core.of(load(environ={"DATA_DIR": str(tmp_path)}), version="1")
    core.restart.allow(lambda: None)
    monkeypatch.setattr("app.bootstrap.camera_config.CONFIG_FILES", (Path("config.yml"), Path("nowhere/config.yml")))
    ConfigCameras(core, {}).save(Wish({"location": "Yard"}))
    assert Path("config.yml").read_text() == "cameras:\n  - location: Yard\n"
    assert Path("config.yml").stat().st_mode & 0o777 == 0o600


def test_a_camera_is_tried_with_what_the_form_says_and_masked(house: House) -> None:
    with http_double() as camera:
        camera.answer = lambda _: Reply(headers={"Content-Type": "image/jpeg"}, body=[jpeg(64, 48)])
        tried = house.config.try_out(Wish({"kind": "still", "location": "Yard", "url": f"{camera.url}/x.jpg"}))
        assert (tried.size, tried.problem) == ("64x48 JPEG", "")
        assert tried.picture.startswith(b"\xff\xd8")
        camera.answer = lambda _: 404
        failed = house.config.try_out(Wish({"kind": "still", "location": "Yard", "url": f"{camera.url}/x.jpg"}))
    assert failed.problem
    assert failed.remedy
    assert "Yard" not in house.text
    assert not (house.path.parent / "data" / "journal.db").exists()


def test_what_was_taken_back_is_gone_once_somebody_has_understood_why(house: House) -> None:
    before = house.text
    house.save({"kind": "still", "location": "Yard", "url": "http://192.168.1.22/snap.jpg"})
    Trial.of(house.path).put_back("the port is taken")
    refused = house.path.with_name("config.yml.refused")
    assert (house.text, "Yard" in refused.read_text()) == (before, True)
    assert house.config.cameras().refusal == "the port is taken"
    house.config.forget_refusal()
    assert (house.config.cameras().refusal, refused.exists()) == ("", False)
