"""What people write where they know it from elsewhere, and where it belongs here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from app import archives, cameras, publishers, sources
from pylib.settings.draft import ConfigError, SettingsBuilder
from pylib.settings.yaml_file import Location, YamlFile

SHOWN = 5
"""Frigate's cameras that are written out."""
MQTT_NAMES = {
    "host": "is `server_address` here: host, or host:port",
    "port": "stands in `server_address` here, as host:port",
    "user": "is `username` here",
}
"""Of Frigate, Home Assistant and others, in `mqtt`."""
AS_SETTINGS = ("rtsp", "onvif", "foscam", "still", "v4l2")
"""Kinds of cameras that people write as a setting of one; `command` is a setting of another kind."""
OF_ALL = ("mqtt", "detector", "rabbitmq", "ftp")
"""Sections that people look for in a camera."""
PLACES = {"rtsp": "url: rtsp://192.168.1.20/stream1", "still": "url: http://192.168.1.20/snapshot.jpg"}
"""The place of a camera by its kind; an address where nothing else is said."""


LISTS: Mapping[str, Collection[str]] = {
    "publishers": publishers.KINDS,
    "sources": sources.KINDS,
    "archives": archives.KINDS,
}
"""Lists whose entries name their kind."""


def refuse_frigates(file: YamlFile | None) -> None:
    """Raises `ConfigError` for Frigate's own file, in which nothing would be right.

    It names the cameras, but not their addresses, which have logins in them.
    """
    theirs = file.values.get("cameras") if file else None
    if file is None or not isinstance(theirs, dict) or not any(map(_is_frigates, theirs.values())):
        return
    raise ConfigError(
        [
            f"{file.path} is a configuration of Frigate. Leave it to Frigate, and write one for this service:",
            "cameras:",
            *(
                f"  - {{kind: still, preset: frigate, location: {name}, address: FRIGATE, stream: {name}}}"
                for name in list(theirs)[:SHOWN]
            ),
            "with Frigate's host instead of FRIGATE; `snapshot-processor init` asks for cameras of all makes",
        ]
    )


def _is_frigates(camera: object) -> bool:
    return isinstance(camera, dict) and "ffmpeg" in camera


def tell_misplaced(draft: SettingsBuilder, *, sections: Collection[str]) -> None:
    """Record what belongs elsewhere, in the words of where that is."""
    for location, sentence in list(_misplaced(draft.values, sections)):
        draft.misplaced(location, sentence)


def _misplaced(values: Mapping[str, Any], sections: Collection[str]) -> Iterator[tuple[Location, str]]:
    """Where something stands that belongs elsewhere, and where that is."""
    for key in values:
        if key not in sections:
            yield from _outside(key)
    for name, having in LISTS.items():
        if isinstance(values.get(name), dict):
            known = next((key for key in values[name] if key in having), next(iter(having)))
            yield (name,), f"must be a list, whose entries name their kind: `{name}: [{{kind: {known}, ...}}]`"
    listed = values.get("cameras")
    for index, camera in enumerate(listed if isinstance(listed, list) else ()):
        for key in camera if isinstance(camera, dict) else ():
            if key in AS_SETTINGS:
                yield ("cameras", index, key), f"is a kind of camera: write `kind: {key}` and `{_place(key)}`"
            elif key in OF_ALL:
                yield ("cameras", index, key), f"is no part of a camera: `{key}:` stands at the left edge, for all"
    broker = values.get("mqtt")
    for key in broker if isinstance(broker, dict) else ():
        if key in MQTT_NAMES:
            yield ("mqtt", key), MQTT_NAMES[key]


def _outside(key: str) -> Iterator[tuple[Location, str]]:
    if key in cameras.KINDS:
        yield (key,), f"is a kind of camera: `cameras: [{{kind: {key}, location: Front Door, {_place(key)}}}]`"
        return
    for name, having in LISTS.items():
        if key in having:
            yield (key,), f"belongs into the list `{name}`: `{name}: [{{kind: {key}, ...}}]`"
            return


def _place(kind: str) -> str:
    return PLACES.get(kind, "address: 192.168.1.20")
