"""A camera's settings as the fields of a form, made from the model of its kind; and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from app.web.album.camera_makes import PUSHES, Make, presets, schema
from app.web.album.languages import tr
from app.web.album.rule_form import Fields, one
from app.web.camera_config import ConfiguredCamera

FIRST = (
    *("location", "label", "url", "address", "https", "stream", "channel"),
    *("device", "path", "place", "profile", "username", "password"),
)
"""What is asked first, in this order; the rest is asked of those who look for it."""
TITLES = {
    "label": "Shown as",
    "url": "Address (URL)",
    "https": "Over https",
    "username": "User name",
    "ca_file": "Certificate file",
    "verify": "Check its certificate",
    "legacy_tls": "Old TLS",
    "max_bytes": "Largest picture (bytes)",
    "max_age": "Oldest picture (seconds)",
    "timeout": "Patience (seconds)",
    "every": "A picture every so many seconds",
}
"""Of settings whose names say little; others are called by their names."""
HELPS = {
    "location": "Such as Front Door. Pictures and rules go by it, so it cannot be changed later.",
    "label": "What people read. The location unless given.",
    "address": "Such as 192.168.1.20, with :port behind it if it is not the usual one.",
    "https": "",
    "channel": "Of the camera on a recorder; 1 otherwise.",
    "username": "Empty for no login.",
    "password": "",
}
"""What the settings' own descriptions say for readers of the file, or of what a form does not have."""
WAS = "was-"
"""Before a setting's name: what its field showed at first."""
INPUTS = {"boolean": "check", "integer": "number", "number": "number", "string": "text"}


class FormField(NamedTuple):
    """One setting in the form."""

    name: str
    title: str
    help: str
    input: str
    """`text`, `password`, `number`, `check`, `choice`."""
    value: Any
    choices: tuple[Any, ...] = ()
    required: bool = False
    set: bool = False
    """Whether it is a secret that the file has: an empty field keeps it."""
    fixed: str = ""
    """Where it comes from, if it cannot be changed here."""
    least: Any = None
    most: Any = None
    was: str = ""
    """What the file has, as the form sends it back: whoever leaves it so did not touch it."""
    meanwhile: bool = False
    """Whether somebody else changed it after the form was shown: `was` is what the file has now."""


class CameraForm:
    """The form of one make, for a new camera or one that there is."""

    def __init__(self, make: Make, camera: ConfiguredCamera | None) -> None:
        self.make = make
        self._camera = camera
        self._old = camera.values if camera else {}
        self._known = schema(make.kind)
        self._asked = [name for name in self._known if self._is_asked(name)]

    def fields(self, given: Fields | None = None) -> tuple[list[FormField], list[FormField]]:
        """What is asked first, and the rest; with what somebody has written already, but secrets.

        A field that its reader left as it was shows what the file has now."""
        made = {name: self._field(name, given) for name in self._asked}
        first = [made[name] for name in FIRST if name in made]
        required = [field for field in made.values() if field.required and field not in first]
        rest = [field for field in made.values() if field not in first and field not in required]
        return [*first, *required], rest

    @property
    def elsewhere(self) -> list[str]:
        """Settings that the file has, and the form has not: they stay."""
        return [name for name in self._old if name in self._known and INPUTS.get(self._type(name)) is None]

    def values(self, given: Fields) -> dict[str, Any]:
        """The settings that the form makes, for `Wish`."""
        values: dict[str, Any] = {"kind": self.make.kind} if self.make.kind else {}
        if self.make.preset:
            values["preset"] = self.make.preset
        for name in self._known:
            if name in self._asked:
                values |= self._given(name, given)
            elif name in self._old and self._type(name) not in INPUTS:
                values[name] = self._old[name]
            elif self._camera and name in self._camera.secrets:
                values[name] = None  # an address for which this make has no field
        return values

    def _is_asked(self, name: str) -> bool:
        if self.make.id == PUSHES:
            return name in ("location", "label")
        stays = self._camera is not None and name in ("location", "type")
        if self._type(name) not in INPUTS or name in ("kind", "preset") or stays:
            return False
        known, about = presets(self.make.kind) if self.make.kind else [], self._known[name].get("description", "")
        named = [preset for preset in known if re.search(rf"\b{preset}\b", about, re.IGNORECASE)]
        if named or "with a preset" in about:
            return self.make.preset in (named or known)
        return not (name == "url" and self.make.preset)

    def _type(self, name: str) -> str:
        return str(self._known[name].get("type", ""))

    def _field(self, name: str, given: Fields | None) -> FormField:
        known, camera = self._known[name], self._camera
        secret, choices = bool(known.get("writeOnly")), tuple(known.get("enum", ()))
        default = "" if secret else known.get("default", "")
        value = self._old.get(name, default)
        was, meanwhile = _as_sent(value), False
        if given is not None and not secret:
            shown = one(given, WAS + name) if WAS + name in given else was
            meanwhile = shown != was
            if not meanwhile or one(given, name) != shown:
                value = one(given, name) if self._type(name) != "boolean" else bool(one(given, name))
        is_set = bool(camera) and name in camera.secrets  # type: ignore[union-attr]
        low = known.get("minimum", known.get("exclusiveMinimum"))
        return FormField(
            name,
            tr(TITLES.get(name, name.replace("_", " ").capitalize())),
            tr(HELPS.get(name, known.get("description", "")).replace("`", "")),
            "password" if secret else "choice" if choices else INPUTS[self._type(name)],
            "" if value is None else value,
            choices,
            name == "location" or "default" not in known,
            is_set,
            camera.environment.get(name, "") if camera else "",
            low,
            known.get("maximum"),
            was,
            meanwhile,
        )

    def _given(self, name: str, given: Fields) -> dict[str, Any]:
        """What the form says of a setting; nothing where it stays as it is, or as it would be anyway."""
        known, camera = self._known[name], self._camera
        if camera and name in camera.environment:
            return {name: self._old[name]} if name in self._old else {}
        text = given.get(name, ("",))[-1] if known.get("writeOnly") else one(given, name)
        if self._type(name) == "boolean":
            value: Any = bool(text)
        elif not text:
            return {}
        else:
            value = _typed(text, known, self._type(name))
        return {} if value == known.get("default") and name not in self._old else {name: value}


def _as_sent(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value).strip()


def _typed(text: str, known: Mapping[str, Any], kind: str) -> Any:
    """A number where there is one; what is none is said to be wrong where all is checked."""
    for choice in known.get("enum", ()):
        if text == str(choice):
            return choice
    if kind in ("integer", "number"):
        for number in (int, float):
            try:
                return number(text.replace(",", "."))
            except ValueError:
                continue
    return text
