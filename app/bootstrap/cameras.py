"""Builds the cameras, a circuit breaker for each, and the fetch stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from app import cameras
from app.bootstrap.adapters import make_camera
from app.bootstrap.booth import begins_of
from app.bootstrap.core import Core
from app.bootstrap.relays import Relays
from app.cameras import CameraSettings
from app.config.settings import Settings
from app.messages import Burst, BurstBegun, Message, Trigger
from app.pipeline.burst import TakeBurst
from app.pipeline.channel import Channel
from app.pipeline.channels import Channels
from app.pipeline.fetch import Fetch
from app.pipeline.ring import BeforeTriggers, Ring
from app.replicas.replica import Work
from app.rules.evaluate import burst_of
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.relay import ZmqRelay
from pylib.runtime.threads import ManagedThread
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.bootstrap.web import WebParts


def cameras_of(core: Core) -> tuple[Channels[CameraSettings], Mapping[str, Ring]]:
    """By device key: all cameras, and the rings of those that keep pictures from before a trigger.

    Each camera's circuit is shown among the metrics.
    """

    def channel(camera: CameraSettings) -> Channel:
        return Channel(
            make_camera(camera, core.settings),
            label=core.labels[camera.device_key],
            timeout=camera.timeout,
            burst=camera.burst.wish(),
            adjustments=partial(core.adjustments, camera.device_key),
        )

    channels = Channels({camera.device_key: camera for camera in core.settings.cameras}, channel)
    for camera in core.settings.cameras:
        if not getattr(cameras.KINDS.load(camera.kind), "made_late", False):
            _ = channels[camera.device_key]
    core.metrics.circuits(lambda: ((key, channels.state(key)) for key in channels))
    rings = {
        camera.device_key: Ring(
            channels[camera.device_key], seconds=camera.ring.seconds, max_pixels=core.settings.max_pixels
        )
        for camera in core.settings.cameras
        if camera.ring.seconds
    }
    return channels, rings


def threads_of(channels: Channels[CameraSettings]) -> list[ManagedThread]:
    """The threads of cameras that keep a stream open."""
    return [thread for channel in channels.made for thread in getattr(channel.camera, "threads", ())]


def ring_threads(core: Core, rings: Mapping[str, Ring]) -> list[ManagedThread]:
    """One for each ring, so that no camera waits for another."""
    return [
        Periodic(
            f"ring {camera.device_key}",
            partial(_take, core.work, camera.device_key, rings[camera.device_key]),
            Every(camera.ring.pace),
            stall_after=60.0 + 2 * camera.timeout,
        )
        for camera in core.settings.cameras
        if camera.device_key in rings
    ]


def _take(work: Work, camera: str, ring: Ring) -> None:
    """A picture into the ring, where the camera is this replica's."""
    if work.owns(camera):
        ring.take()


def fetch_of(
    core: Core,
    channels: Channels[CameraSettings],
    rings: Mapping[str, Ring],
    *,
    acknowledge: Callable[[Trigger], None],
    web: WebParts | None,
) -> Fetch:
    """The fetch stage over these cameras; `acknowledge` tells whoever brought a trigger that it is done. Triggers start
    the photo booth of `web`, too."""
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
        before=BeforeTriggers(rings, journal=core.journal, media=core.media, max_pixels=core.settings.max_pixels),
        begins=begins_of(core, web.booth if web else None),
        count=core.tally.snapshot,
        count_trigger=core.tally.trigger,
        close=channels.close,
        resumes=not core.settings.replicas.group,  # else what was accepted belongs to a shard
    )


def fetching(settings: Settings, sink: str, bursts: str) -> dict[str, Any]:
    """Options of the fetch stage's relay: pictures go to `sink`, bursts that have begun to `bursts`."""

    def route(result: Message) -> Collection[str]:
        return [bursts if isinstance(result, BurstBegun) else sink]

    queue = {"workers": settings.fetch_threads, "max_waiting": settings.max_pending}
    return {"sinks": [sink, bursts], "route": route, **queue}


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
        count=core.tally.snapshot,
        count_frame=core.metrics.frame,
    )
    relay = relays.stage("burst", stage, source=source, sinks=[sink], workers=max(1, len(channels)))
    return relay
