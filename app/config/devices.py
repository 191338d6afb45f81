"""Cameras and other devices from `INPUT_n_...` and `OUTPUT_n_...`, merged with those of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pylib.settings.draft import SettingsBuilder
from pylib.settings.kinds import KindField
from pylib.settings.variables import Variable, variables
from pylib.settings.yaml_file import Location, dotted

DEVICES = {"OUTPUT": "outputs", "INPUT": "inputs"}
"""Word in the variables -> list of devices. Outputs first: where both configure one camera, they count."""

_NUMBERED = re.compile(r"(INPUT|OUTPUT)_([1-9]\d*)_(.+)")


def merge_devices(draft: SettingsBuilder, kinds: KindField) -> None:
    """Bring `cameras`, `inputs` and `outputs` of a draft together.

    Numbered variables add to the lists, or override the entry of the same device key. A device of type
    Camera is a camera; a camera that no list names is an output. A device key given twice is a problem.
    """
    lists = _Lists(draft)
    for word, name in DEVICES.items():
        _merge_numbered(lists, word, name, kinds)
    for name in DEVICES.values():
        for device in lists.entries(name):
            if _is_camera(device.get("type")):
                lists.add("cameras", {"location": device["location"], "type": device["type"]})
    named = {_key(device) for name in DEVICES.values() for device in lists.entries(name)}
    for camera in lists.entries("cameras"):
        if _key(camera) not in named:
            lists.add("outputs", {"type": camera.get("type") or "Camera", "location": camera["location"]})


def camera_variables(kinds: KindField, prefix: str, at: Location = ()) -> Iterator[Variable]:
    """The settings of a camera in variables of this prefix, whatever its kind."""
    seen = set()
    for kind in kinds.names:
        for variable in variables(kinds.load(kind), at, prefix=prefix):
            if variable.name not in seen:
                seen.add(variable.name)
                yield variable


class _Lists:
    """The draft's lists of devices, by device key."""

    def __init__(self, draft: SettingsBuilder) -> None:
        self.draft = draft
        self._places: dict[str, dict[str, Location]] = {}
        for name in ("cameras", *DEVICES.values()):
            places: dict[str, Location] = {}
            self._places[name] = places
            for index, entry in enumerate(self._list(name)):
                key, at = _key(entry), (name, index)
                if key in places:
                    draft.problem(at, f"{key!r} is what {dotted(places[key])} is called already")
                elif key:
                    places[key] = at

    def entries(self, name: str) -> list[dict[str, Any]]:
        """Those that have a device key."""
        return [self.draft.at(at) for at in self._places[name].values()]

    def add(self, name: str, entry: dict[str, Any], prefix: str = "") -> Location | None:
        """The position of this device key's entry in the list, added if need be; None when the list is none."""
        key = _key(entry)
        if key in self._places[name]:
            return self._places[name][key]
        if self.draft.values.get(name) is None:
            self.draft.values[name] = []
        if not isinstance(self.draft.values[name], list):
            return None
        entries = self._list(name)
        at: Location = (name, len(entries))
        entries.append(entry)
        self._places[name][key] = at
        if prefix:
            self.draft.name_group(at, prefix)
        return at

    def _list(self, name: str) -> list[Any]:
        entries = self.draft.values.get(name)
        return entries if isinstance(entries, list) else []


def _merge_numbered(lists: _Lists, word: str, name: str, kinds: KindField) -> None:
    draft = lists.draft
    taken: dict[str, str] = {}
    expected = 1
    for number in _numbers(draft, word, kinds):
        prefix = f"{word}_{number}"
        if number > expected:
            draft.warnings.append(f"environment: {word}_{expected}_TYPE is not set, but {prefix}_TYPE is")
        expected = number + 1
        device = _numbered(draft, prefix)
        if device is None:
            continue
        key = _key(device)
        if key in taken:
            draft.problems.append(f"environment: {prefix}_LOCATION: {key!r} is what {taken[key]} is called already")
            continue
        taken[key] = prefix
        lists.add(name, device, prefix)
        if _is_camera(device["type"]):
            _configure_camera(lists, device, prefix, kinds)


def _numbers(draft: SettingsBuilder, word: str, kinds: KindField) -> list[int]:
    matches = (_NUMBERED.fullmatch(name) for name in draft.environment.names())
    numbered = [match for match in matches if match and match[1] == word]
    if not numbered:
        return []  # and no kind need be loaded to know its settings
    fields = {variable.name for variable in camera_variables(kinds, "")}
    return sorted({int(match[2]) for match in numbered if match[3] in fields and draft.get(match[0])})


def _numbered(draft: SettingsBuilder, prefix: str) -> dict[str, Any] | None:
    found = {name: draft.get(f"{prefix}_{name.upper()}") for name in ("type", "location")}
    for name, value in found.items():
        if value is None:
            draft.problems.append(f"environment: {prefix}_{name.upper()}: is required")
    return {name: value.value.strip() for name, value in found.items() if value} if all(found.values()) else None


def _configure_camera(lists: _Lists, device: dict[str, Any], prefix: str, kinds: KindField) -> None:
    draft = lists.draft
    at = lists.add("cameras", {"location": device["location"], "type": device["type"]}, prefix)
    if at is None:
        return
    wanted = [
        variable
        for variable in camera_variables(kinds, prefix, at)
        if variable.location[-1] not in ("type", "location") and not draft.came_from_environment(variable.location)
    ]
    draft.overlay(wanted)
    for name in ("type", "location"):  # by which the variables belong to the camera
        if not draft.came_from_environment((*at, name)):
            draft.put((*at, name), device[name], f"environment: {prefix}_{name.upper()}")
    model = kinds.model(draft.at(at))
    if model:
        draft.keep_own(model, at)


def _key(entry: object) -> str:
    if not isinstance(entry, dict):
        return ""
    location, kind = entry.get("location"), entry.get("type") or "Camera"
    return f"{location} {kind}" if isinstance(location, str) and location and isinstance(kind, str) else ""


def _is_camera(device_type: object) -> bool:
    return isinstance(device_type, str) and device_type.casefold() == "camera"
