"""Builds the cameras, a circuit breaker for each, and the fetch stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.bootstrap.adapters import make_camera
from app.bootstrap.core import Core
from app.messages import Trigger
from app.pipeline.fetch import Channel, Fetch


def channels_of(core: Core) -> Mapping[str, Channel]:
    """By device key; each camera's circuit is shown among the metrics."""
    channels = {
        camera.device_key: Channel(
            make_camera(camera, core.settings), label=core.labels[camera.device_key], timeout=camera.timeout
        )
        for camera in core.settings.cameras
    }
    for key, channel in channels.items():
        core.metrics.circuit(key, lambda channel=channel: channel.breaker.state)  # type: ignore[misc]
    return channels


def fetch_of(core: Core, channels: Mapping[str, Channel], *, acknowledge: Callable[[Trigger], None]) -> Fetch:
    """The fetch stage over these cameras; `acknowledge` tells whoever brought a trigger that it is done."""
    return Fetch(
        channels,
        journal=core.journal,
        cache=core.cache,
        acknowledge=acknowledge,
        max_age=core.settings.max_age,
        max_pixels=core.settings.max_pixels,
        count=core.metrics.snapshot,
        count_trigger=core.metrics.trigger,
    )
