"""The makes of cameras that a person chooses from: kinds, and the presets of those that have some."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from app import cameras

PUSHES = "push"
"""The make of a camera that sends its pictures itself."""
UNNAMED = "foscam"
"""The kind of an entry that names none."""

KIND_TITLES = {
    "foscam": "Foscam",
    "still": "Any camera whose picture has an address (http)",
    "onvif": "Any camera that speaks ONVIF",
    "rtsp": "A stream (RTSP)",
    "v4l2": "A USB camera",
    "file": "A picture in a file or folder",
    "demo": "A drawn scene, to try things out",
    PUSHES: "A camera that sends its pictures itself (FTP or mail)",
}
PRESET_TITLES = {
    "unifi": "UniFi (Ubiquiti)",
    "esphome": "ESPHome",
    "dlink": "D-Link",
    "dlink-profile": "D-Link with several profiles",
    "vigi": "TP-Link VIGI",
    "go2rtc": "go2rtc",
}


class Make(NamedTuple):
    """What somebody chooses."""

    id: str
    """`still:hikvision`, `foscam`, `push`."""
    kind: str
    """Empty for the default one."""
    preset: str
    title: str


@cache
def makes(kinds: tuple[str, ...]) -> list[Make]:
    """Those of these kinds: brands first, by name, then what fits any."""
    brands = [
        Make(f"{kind}:{preset}", kind, preset, PRESET_TITLES.get(preset, preset.title()))
        for kind in kinds
        for preset in presets(kind)
    ]
    others = [Make(kind, kind, "", title_of(kind)) for kind in kinds]
    if UNNAMED in kinds:  # a brand, too
        brands.append(others.pop(kinds.index(UNNAMED)))
    return [*sorted(brands, key=lambda make: make.title.casefold()), Make(PUSHES, "", "", KIND_TITLES[PUSHES]), *others]


def make_of(kinds: tuple[str, ...], kind: str, preset: object = "") -> Make:
    """The make of a camera that there is."""
    wanted = f"{kind}:{preset}" if preset else kind
    return next((make for make in makes(kinds) if make.id == wanted), Make(kind, kind, "", title_of(kind)))


def title_of(kind: str) -> str:
    """What people call a kind."""
    doc = cameras.KINDS.load(kind).Settings.__doc__ or ""
    return KIND_TITLES.get(kind) or doc.partition(".")[0] or kind


def schema(kind: str) -> dict[str, dict[str, Any]]:
    """Name of each setting of a kind -> what it may be, as JSON Schema has it; of an optional one, what it may be."""
    return _schema(kind or UNNAMED)


@cache
def _schema(kind: str) -> dict[str, dict[str, Any]]:
    properties = cameras.KINDS.load(kind).Settings.model_json_schema()["properties"]
    return {name: _plain(one) for name, one in properties.items()}


def _plain(setting: dict[str, Any]) -> dict[str, Any]:
    options: Iterable[dict[str, Any]] = setting.get("anyOf", ())
    return {**setting, **next((option for option in options if option.get("type") != "null"), {})}


def presets(kind: str) -> list[str]:
    """Those of a kind; none for most."""
    return [str(preset) for preset in schema(kind).get("preset", {}).get("enum", ())]
