"""Builds the cameras, a circuit breaker for each, and the fetch stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from app.bootstrap.adapters import make_camera
from app.bootstrap.core import Core
from app.bootstrap.relays import Relays
from app.messages import Burst, BurstBegun, Message, Trigger
from app.pipeline.burst import TakeBurst
from app.pipeline.channel import Channel
from app.pipeline.fetch import Fetch
from app.rules.evaluate import burst_of
from pylib.runtime.relay import ZmqRelay
from pylib.timezones import local_zone


def channels_of(core: Core) -> Mapping[str, Channel]:
    """By device key; each camera's circuit is shown among the metrics."""
    channels = {
        camera.device_key: Channel(
            make_camera(camera, core.settings),
            label=core.labels[camera.device_key],
            timeout=camera.timeout,
            burst=camera.burst.wish(),
        )
        for camera in core.settings.cameras
    }
    for key, channel in channels.items():
        core.metrics.circuit(key, lambda channel=channel: channel.breaker.state)  # type: ignore[misc]
    return channels


def fetch_of(core: Core, channels: Mapping[str, Channel], *, acknowledge: Callable[[Trigger], None]) -> Fetch:
    """The fetch stage over these cameras; `acknowledge` tells whoever brought a trigger that it is done."""
    zone = local_zone(core.settings.time_zone)

    def wanted(camera: str) -> Burst | None:
        return burst_of(core.rules.book, camera, mode=core.telling.mode, moment=datetime.now(zone))

    return Fetch(
        channels,
        journal=core.journal,
        cache=core.cache,
        acknowledge=acknowledge,
        max_age=core.settings.max_age,
        max_pixels=core.settings.max_pixels,
        wanted=wanted,
        count=core.metrics.snapshot,
        count_trigger=core.metrics.trigger,
    )


def fetching(sink: str, bursts: str) -> dict[str, Any]:
    """Options of the fetch stage's relay: pictures go to `sink`, bursts that have begun to `bursts`."""

    def route(result: Message) -> Collection[str]:
        return [bursts if isinstance(result, BurstBegun) else sink]

    return {"sinks": [sink, bursts], "route": route}


def bursting(
    core: Core, relays: Relays, channels: Mapping[str, Channel], *, source: str, sink: str
) -> ZmqRelay[Message]:
    """The stage that takes the rest of each burst. No camera waits for another: each has a thread when it needs one."""
    stage = TakeBurst(
        channels,
        journal=core.journal,
        cache=core.cache,
        media=core.media,
        wait=lambda seconds: relay.stopping.wait(seconds),
        max_age=core.settings.max_age,
        max_pixels=core.settings.max_pixels,
        count=core.metrics.snapshot,
        count_frame=core.metrics.frame,
    )
    relay = relays.stage("burst", stage, source=source, sinks=[sink], workers=max(1, len(channels)))
    return relay
