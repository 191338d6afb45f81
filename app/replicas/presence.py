"""What a replica tells the others every few seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgpack

from app.rules.telling import Switch
from pylib.errors import Permanent

MAX_SIZE = 2 * 1024 * 1024
MAX_SWITCHES = 2000
"""More than these, the last, are not told: a home has fewer cameras."""
LONGEST_KEY = 200
"""Characters of a camera's device key, as in triggers; so many switches of it fit `MAX_SIZE`."""


@dataclass(frozen=True, slots=True)
class Presence:
    """A replica, as it is now."""

    device: str
    """Its `DEVICE_NAME`."""
    release: str
    shards: int
    cameras: str
    """A digest of its cameras' device keys."""
    at: float
    """By its clock (Unix seconds)."""
    ready: bool = True
    """Whether it can consume."""
    leads: bool = False
    leaving: bool = False
    switches: tuple[Switch, ...] = ()
    """What people have switched, here or elsewhere."""

    def pack(self) -> bytes:
        """As it goes over the exchange."""
        told = [one for one in self.switches if len(one.camera) <= LONGEST_KEY]
        switches = sorted(told, key=lambda one: one.at)[-MAX_SWITCHES:]
        said = {
            "device": self.device,
            "release": self.release,
            "shards": self.shards,
            "cameras": self.cameras,
            "at": self.at,
            "ready": self.ready,
            "leads": self.leads,
            "leaving": self.leaving,
            "switches": [[one.at, one.mode, one.camera, one.until] for one in switches],
        }
        packed: bytes = msgpack.packb(said)
        return packed

    @classmethod
    def unpack(cls, body: bytes) -> Presence:
        """Raises `Permanent` for what no replica says; fields of a later release are passed over."""
        if len(body) > MAX_SIZE:
            raise Permanent("not_a_replica", f"what was said is not of a replica: {len(body)} bytes")
        try:
            said = msgpack.unpackb(body)
            return cls(
                device=_of(said, "device", str),
                release=_of(said, "release", str),
                shards=_of(said, "shards", int),
                cameras=_of(said, "cameras", str),
                at=_of(said, "at", float),
                ready=_of(said, "ready", bool),
                leads=_of(said, "leads", bool),
                leaving=_of(said, "leaving", bool),
                switches=tuple(_switch(*one[:4]) for one in _of(said, "switches", list)[:MAX_SWITCHES]),
            )
        except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
            raise Permanent("not_a_replica", f"what was said is not of a replica: {error}") from None


def _of(said: Mapping[str, Any], name: str, kind: type) -> Any:
    value = said[name]
    if not isinstance(value, kind):
        raise TypeError(f"{name} is no {kind.__name__}")
    return value


def _switch(at: object, mode: object, camera: object, until: object) -> Switch:
    if not (isinstance(at, float) and isinstance(mode, str) and isinstance(camera, str)):
        raise TypeError("switches have a time, a mode and a camera")
    if until is not None and not isinstance(until, float | int):
        raise TypeError("a snooze lasts until a time")
    if not (math.isfinite(at) and math.isfinite(until or 0)) or len(camera) > LONGEST_KEY:
        raise ValueError("a switch is of no camera, or of no time")
    return Switch(at, mode, camera, None if until is None else float(until))
