"""Configured cameras over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.web.api.camera_config_models import CameraConfigModel, SavedCameraModel, TriedCameraModel
from app.web.application import application
from app.web.errors import Conflict
from tests.fakes.camera_config import FakeCameraConfig
from tests.fakes.web import FRONT, Client, serving
from tests.unit.web.api.conftest import House

HERE = "/api/config/cameras"


@pytest.fixture
def config() -> FakeCameraConfig:
    return FakeCameraConfig()


@pytest.fixture
def client(house: House, config: FakeCameraConfig) -> Iterator[Client]:
    with serving(application(replace(house.context, camera_config=config))) as client:
        yield client


def test_cameras_are_read_added_changed_tried_and_removed(client: Client, config: FakeCameraConfig) -> None:
    known = CameraConfigModel.model_validate(client.get(HERE).json())
    assert (known.version, known.process) == ("v1", "p1")
    assert known.cameras[0].secrets == ["password"]
    assert client.get(f"{HERE}/front-door").json()["settings"]["address"] == "cam"
    body = {"settings": {"kind": "demo", "location": "Yard"}, "version": "v1", "ftp_login": True}
    added = SavedCameraModel.model_validate(client.post(HERE, json=body).json())
    assert added.device_key == "Yard Camera"
    assert added.ftp is not None
    assert added.ftp.password == "shown-once"
    changed = client.ask("PUT", f"{HERE}/front-door", json={"settings": {"label": "Door", "password": None}})
    assert changed.json()["ftp"] is None
    assert [(wish.name, wish.version, wish.login) for wish in config.wishes] == [("", "v1", True), (FRONT, "", False)]
    tried = client.post(f"{HERE}/test", json={"settings": {"kind": "demo"}, "name": "front door"}).json()
    assert TriedCameraModel.model_validate(tried).size == "8x8 JPEG"
    assert config.wishes[-1].name == FRONT
    assert client.delete(f"{HERE}/front-door?version=v1").status_code == 200
    assert config.removed == [(FRONT, "v1")]


def test_what_cannot_be_is_refused_in_one_sentence(client: Client, config: FakeCameraConfig, house: House) -> None:
    assert client.get(f"{HERE}/attic").status_code == 404
    assert "settings" in client.post(HERE, json={}).json()["error"]
    assert "colour" in client.post(HERE, json={"settings": {}, "colour": 1}).json()["error"]
    config.refusal = Conflict("config_changed", "config.yml was changed by somebody else")
    refused = client.post(HERE, json={"settings": {}, "version": "v0"})
    assert (refused.status_code, refused.json()["error"][:15]) == (409, "config_changed:")
    assert house.client.get(HERE).status_code == 404
