"""The payload of the heartbeat: the devices we speak for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgpack


@dataclass(frozen=True, slots=True)
class HeartbeatDevice:
    """A device as other programs know it."""

    type: str
    location: str

    @property
    def device_key(self) -> str:
        return f"{self.location} {self.type}"


def heartbeat(*, inputs: Sequence[HeartbeatDevice], outputs: Sequence[HeartbeatDevice]) -> bytes:
    """Body of a heartbeat, in MessagePack."""
    packed: bytes = msgpack.packb({"inputs": _listed(inputs), "outputs": _listed(outputs)})
    return packed


def _listed(devices: Sequence[HeartbeatDevice]) -> list[dict[str, str]]:
    return [{"type": d.type, "location": d.location, "device_key": d.device_key} for d in devices]
