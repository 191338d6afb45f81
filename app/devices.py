"""Cameras and other devices from `INPUT_n_...` and `OUTPUT_n_...`, merged with those of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pylib.config import Draft
from pylib.kinds import Kinds
from pylib.variables import Variable, variables
from pylib.yaml_file import Location

LISTS = {"OUTPUT": "outputs", "INPUT": "inputs"}
"""Word in the variables -> list of devices. Outputs first: where both speak of one camera, they count."""

_NUMBERED = re.compile(r"(INPUT|OUTPUT)_([1-9]\d*)_(.+)")


def merge_devices(draft: Draft, kinds: Kinds) -> None:
    """Bring `cameras`, `inputs` and `outputs` of a draft together.

    Numbered variables add to the lists, or override the entry of the same device key. A device of type
    Camera is a camera; a camera that no list names is an output. A device key given twice is a problem.
    """
    for word, name in LISTS.items():
        _merge_numbered(draft, word, name, kinds)
    for name in LISTS.values():
        for _, device in _entries(draft, name):
            if _is_camera(device.get("type")):
                _add(draft, "cameras", {"location": device["location"], "type": device["type"]})
    named = {_key(device) for name in LISTS.values() for _, device in _entries(draft, name)}
    for _, camera in _entries(draft, "cameras"):
        if _key(camera) not in named:
            device = {"type": camera.get("type", "Camera"), "location": camera["location"]}
            _add(draft, "outputs", device)
    for name in ("cameras", *LISTS.values()):
        _find_duplicates(draft, name)


def camera_variables(kinds: Kinds, prefix: str, at: Location = ()) -> Iterator[Variable]:
    """What can be said about a camera in variables of this prefix, whatever its kind."""
    seen = set()
    for kind in kinds.names:
        for variable in variables(kinds.load(kind), at, prefix=prefix):
            if variable.name not in seen:
                seen.add(variable.name)
                yield variable


def _merge_numbered(draft: Draft, word: str, name: str, kinds: Kinds) -> None:
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
        _add(draft, name, device, prefix)
        if _is_camera(device["type"]):
            _configure_camera(draft, device, prefix, kinds)


def _numbers(draft: Draft, word: str, kinds: Kinds) -> list[int]:
    fields = {variable.name for variable in camera_variables(kinds, "")}
    matches = (_NUMBERED.fullmatch(name) for name in draft.environment.names())
    ours = [match for match in matches if match and match[1] == word and match[3] in fields]
    return sorted({int(match[2]) for match in ours if draft.get(match[0])})


def _numbered(draft: Draft, prefix: str) -> dict[str, Any] | None:
    found = {name: draft.get(f"{prefix}_{name.upper()}") for name in ("type", "location")}
    for name, value in found.items():
        if value is None:
            draft.problems.append(f"environment: {prefix}_{name.upper()}: is required")
    return {name: value.value.strip() for name, value in found.items() if value} if all(found.values()) else None


def _configure_camera(draft: Draft, device: dict[str, Any], prefix: str, kinds: Kinds) -> None:
    at = _add(draft, "cameras", {"location": device["location"], "type": device["type"]}, prefix)
    if at is None:
        return
    wanted = [
        variable
        for variable in camera_variables(kinds, prefix, at)
        if variable.location[-1] not in ("type", "location") and not draft.came_from_environment(variable.location)
    ]
    draft.overlay(wanted)
    model = kinds.model(draft.at(at))
    if model:
        draft.keep_own(model, at)


def _add(draft: Draft, name: str, entry: dict[str, Any], prefix: str = "") -> Location | None:
    """Where the list has the entry of this device key, put there if need be; None when the list is none."""
    for at, present in _entries(draft, name):
        if _key(present) == _key(entry):
            return at
    entries = draft.values.get(name)
    if entries is None:
        entries = draft.values[name] = []
    if not isinstance(entries, list):
        return None
    entries.append(entry)
    at = (name, len(entries) - 1)
    if prefix:
        draft.name_group(at, prefix)
    return at


def _entries(draft: Draft, name: str) -> list[tuple[Location, dict[str, Any]]]:
    """The entries that have a device key, with their places."""
    entries = draft.values.get(name)
    if not isinstance(entries, list):
        return []
    return [((name, index), entry) for index, entry in enumerate(entries) if _key(entry)]


def _key(entry: object) -> str:
    if not isinstance(entry, dict):
        return ""
    location, kind = entry.get("location"), entry.get("type") or "Camera"
    return f"{location} {kind}" if isinstance(location, str) and location and isinstance(kind, str) else ""


def _is_camera(device_type: object) -> bool:
    return isinstance(device_type, str) and device_type.casefold() == "camera"


def _find_duplicates(draft: Draft, name: str) -> None:
    first: dict[str, Location] = {}
    for at, entry in _entries(draft, name):
        key = _key(entry)
        if key in first:
            draft.problem(at, f"{key!r} is what {name}[{first[key][1]}] is called already")
        first.setdefault(key, at)
