"""Builds the relays of stages and outlets, with the options that all of them share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from app.bootstrap.outlets import Outlet
from app.messages import Inspection, Message
from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.tracing import EventTracing
from pylib.runtime.relay import Transport, ZmqRelay
from pylib.runtime.stage import Stage

TRIGGERS, UPLOADS, SNAPSHOTS = "inproc://triggers", "inproc://uploads", "inproc://snapshots"
OBJECTS, INSPECTIONS, BURSTS = "inproc://objects", "inproc://inspections", "inproc://bursts"

LIVE = "inproc://live"
"""Where subscribers in this process receive events, without delivery rows."""


class Relays:
    """Makes relays: one message of a camera at a time, many cameras at once, all of it metered and traced."""

    def __init__(self, transport: Transport, metrics: SnapshotMetrics, tracing: EventTracing) -> None:
        self._transport = transport
        self._metrics = metrics
        self._tracing = tracing

    def stage(self, name: str, stage: Stage[Any], *, meter: str = "", **options: Any) -> ZmqRelay[Message]:
        """A relay for one stage; `options` are those of `pylib.runtime.relay.ZmqRelay`."""
        common = {
            "key": lambda message: message.camera,
            "identity": lambda message: message.id,
            "around": self._tracing.around(name),
        }
        return self._transport.relay(name, stage, meter=self._metrics.stage(meter or name), **{**common, **options})

    def outlet(self, outlet: Outlet) -> ZmqRelay[Message]:
        """A relay for one outlet, at its own pace. Events keep their order, but where several are worked on at once."""
        key = {"key": lambda message: message.id} if outlet.workers > 1 else {}
        return self.stage(
            outlet.relay_name,
            outlet.stage,
            meter=outlet.meter,
            source=outlet.address,
            workers=outlet.workers,
            around=self._tracing.around(outlet.relay_name, outlet=outlet.name),
            **key,
        )

    def to_outlets(self, outlets: Sequence[Outlet]) -> dict[str, Any]:
        """Options of the relay before the outlets: it sends each inspection to the outlets that were decided for."""

        def route(inspection: Inspection) -> Collection[str]:
            at_once = {one.outlet for one in inspection.decisions if one.tell and not one.digest_at}
            return [LIVE, *(outlet.address for outlet in outlets if outlet.name in at_once)]

        return {"sinks": [LIVE, *(outlet.address for outlet in outlets)], "route": route}
