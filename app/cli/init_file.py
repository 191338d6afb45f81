"""The first config.yml: what is asked for each make of camera, and the file that the answers become."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from app.cameras import KINDS
from app.cli.terminal import json_line

PLACES = {"foscam": "address", "onvif": "address", "rtsp": "url", "v4l2": "device", "file": "path", "command": "argv"}
"""Kind -> the setting that says where the camera is; `demo` has none, and a still picture a `url` or a preset."""
EXAMPLES = {
    "address": "192.168.1.20, with :port where it is not the usual one",
    "url": "rtsp://192.168.1.20/stream1 or http://192.168.1.20/picture.jpg, without a login",
    "device": "/dev/video0",
    "path": "/mnt/pictures/latest.jpg",
    "argv": "rpicam-still -o -",
}
SCHEMA = "config.schema.json"
"""Beside config.yml: what it may hold, for editors."""
HEAD = f"""\
# yaml-language-server: $schema={SCHEMA}
#
# `snapshot-processor check` says what is wrong in this file, `snapshot-processor settings` what else may stand in it.
# In the environment the same has names such as OUTPUT_1_PASSWORD, and the environment wins.

"""


def presets() -> tuple[str, ...]:
    """Brands whose address of a still picture is known."""
    annotation = KINDS.load("still").Settings.model_fields["preset"].annotation
    return tuple(name for part in get_args(annotation) for name in get_args(part))


def makes() -> tuple[str, ...]:
    """What a camera may be: a brand, or a kind of camera."""
    return (*presets(), *KINDS)


def of_make(make: str) -> dict[str, Any]:
    """The settings that a make stands for."""
    return {"kind": "still", "preset": make} if make in presets() else {"kind": make}


def place_of(camera: Mapping[str, Any]) -> str:
    """The setting that says where such a camera is; empty for one that is nowhere."""
    if camera["kind"] == "still":
        return "address" if camera.get("preset") else "url"
    return PLACES.get(camera["kind"], "")


def wants_stream(camera: Mapping[str, Any]) -> bool:
    """Whether the camera is one of several behind an address, which has to be named."""
    return camera.get("preset") in ("go2rtc", "frigate")


def wants_login(camera: Mapping[str, Any]) -> bool:
    """Whether such a camera may ask for a login."""
    return "username" in KINDS.load(camera["kind"]).Settings.model_fields


def parsed(text: str) -> dict[str, Any]:
    """A camera from the command line: `make=dahua,location=Front Door,address=...`, or the same as a JSON object.

    Raises ValueError, which does not quote the text: it may hold a password.
    """
    if text.lstrip().startswith("{"):
        try:
            camera = dict(json.loads(text))
        except ValueError:
            raise ValueError("begins like a JSON object and is none") from None
    else:
        pairs = [part.partition("=") for part in text.split(",")]
        if any(not equals for _, equals, _ in pairs):
            raise ValueError("must be name=value with commas between, or a JSON object where a value has commas")
        camera = {name.strip(): value.strip() for name, _, value in pairs}
    if make := camera.pop("make", ""):
        if make not in makes():
            raise ValueError(f"make is none of {', '.join(makes())}")
        camera = {**of_make(make), **camera}
    if file := camera.pop("password_file", ""):
        try:
            camera["password"] = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(f"password_file cannot be read: {error.strerror}") from None
    if isinstance(camera.get("argv"), str):
        camera["argv"] = shlex.split(camera["argv"])
    return camera


def text_of(cameras: Sequence[Mapping[str, Any]]) -> str:
    """The file for these cameras."""
    return HEAD + "".join(f"{line}\n" for line in _lines(cameras))


def _lines(cameras: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "cameras:"
    for number, camera in enumerate(cameras, start=1):
        sign = "- "
        for name, value in camera.items():
            if name == "password":
                yield f"    # Safer in a file of its own, which OUTPUT_{number}_PASSWORD_FILE names."
            yield f"  {sign}{name}: {value if name in ('kind', 'preset') else json_line(value)}"
            sign = "  "
