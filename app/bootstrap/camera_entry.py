"""A camera's entry in config.yml: what of it is shown, and what a change of it leaves as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bootstrap.adapters import login_apart
from app.cameras import CameraSettings
from app.config.config_file import ConfigText
from app.config.settings import CAMERA_KINDS, Settings
from app.web.camera_config import ConfiguredCamera, Wish
from app.web.errors import NotFound, Unprocessable
from pylib.observability import redaction
from pylib.settings.variables import is_secret

PLACE = ("address", "url", "https", "verify", "ca_file")
"""Settings that decide, with the kind, who gets a login."""
BY_HAND = ("command",)
"""Kinds that run a program: whoever may use the album must not choose which."""


@dataclass(frozen=True, slots=True)
class ConfigNow:
    """The file as it is, and what it means."""

    file: ConfigText
    settings: Settings
    raw: list[Any]
    """The file's cameras."""


def changeable(now: ConfigNow, name: str) -> int:
    """The place of a camera in the file. Raises `NotFound`, `Unprocessable`."""
    for index, camera in enumerate(now.settings.cameras):
        if camera.device_key == name:
            if why := shown(now, camera, index).fixed:
                raise Unprocessable("fixed", why)
            return index
    raise NotFound("unknown_camera", f"no camera {name[:60]!r} is configured")


def shown(now: ConfigNow, camera: CameraSettings, index: int) -> ConfiguredCamera:
    """A camera of these settings, as people may see it."""
    environment = now.settings.not_from_file(("cameras", index))
    if index >= len(now.raw):
        where = next(iter(environment.values()), "the lists inputs and outputs")
        return ConfiguredCamera(camera.device_key, camera.kind, environment=environment, fixed=f"it comes from {where}")
    fixed = f"it runs a program, which only {now.file.path} may name" if camera.kind in BY_HAND else ""
    values = login_apart(now.raw[index])
    hidden = {name for name, value in values.items() if value not in (None, "") and is_hidden(camera, name, value)}
    own = next((login.username for login in now.settings.ftp.logins if login.location == camera.location), "")
    return ConfiguredCamera(
        camera.device_key,
        camera.kind,
        {name: value for name, value in values.items() if name not in hidden and not fixed},
        frozenset(hidden),
        environment,
        fixed,
        own,
    )


def is_hidden(camera: CameraSettings, name: str, value: object) -> bool:
    """Whether a value is a secret, or has one in it, as a query with a login."""
    field = type(camera).model_fields.get(name)
    return (field is not None and is_secret(field)) or (isinstance(value, str) and redaction.text(value) != value)


def changed_entry(now: ConfigNow, wish: Wish, index: int, old: dict[str, Any]) -> dict[str, Any]:
    """The entry of a camera that is changed: with what the wish leaves as it is. Raises `Unprocessable`."""
    camera = now.settings.cameras[index]
    is_now, wanted = shown(now, camera, index), dict(wish.values)
    for name in ("location", "type"):
        if wanted.setdefault(name, getattr(camera, name)) != getattr(camera, name):
            raise Unprocessable("renamed", f"{name} stays, for pictures and rules go by it: change the label")
    if wanted["type"] == "Camera" and "type" not in old:
        del wanted["type"]
    for name, where in is_now.environment.items():
        if name in old or name in wanted:
            wanted[name] = old.get(name)
        if name in wish.values and name not in ("location", "type") and wish.values[name] != old.get(name):
            raise Unprocessable("from_environment", f"{name} comes from {where}: change it there")
    kept = {name for name in is_now.secrets if name not in wanted}
    if wanted.get("kind") == camera.kind and "kind" not in old:
        del wanted["kind"]
    elif "kind" not in wanted and "kind" in old:
        wanted["kind"] = old["kind"]
    fields = CAMERA_KINDS.load(str(CAMERA_KINDS.kind(wanted))).model_fields if _known_kind(wanted) else {}
    kept &= fields.keys()
    entry = without_nothing({**{name: old[name] for name in old if name in kept}, **wanted})
    if _place(entry) != _place(old):
        _refuse_to_send(kept, is_now.environment, fields)
    return entry


def _refuse_to_send(kept: set[str], environment: Mapping[str, str], fields: Mapping[str, Any]) -> None:
    """A login that nobody can read here must not go to an address that somebody gave here. Raises `Unprocessable`."""
    secret = [name for name in fields if name in kept]
    if secret:
        raise Unprocessable("login_again", f"{secret[0]}: give it again, for the camera's address is another one now")
    outside = [name for name in fields if name in environment and is_secret(fields[name])]
    if outside:
        where = environment[outside[0]]
        raise Unprocessable(
            "login_elsewhere", f"{outside[0]} comes from {where}: change the address in the file itself"
        )


def _place(entry: Mapping[str, Any]) -> list[Any]:
    return [CAMERA_KINDS.kind(entry), *map(entry.get, PLACE)]


def _known_kind(entry: Mapping[str, Any]) -> bool:
    return CAMERA_KINDS.model(entry) is not None


def without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same but for what has no value."""
    return {name: value for name, value in values.items() if value is not None}
