"""Builds the cameras, a circuit breaker for each, and the fetch stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.bootstrap.adapters import make_camera
from app.config.settings import Settings
from app.monitoring.metrics import SnapshotMetrics
from app.pipeline.fetch import Channel, Fetch

if TYPE_CHECKING:
    from app.bootstrap.service import Service


def labels_of(settings: Settings) -> dict[str, str]:
    """Device key -> the place's name for people."""
    return {camera.device_key: camera.label or camera.location for camera in settings.cameras}


def channels_of(settings: Settings, *, metrics: SnapshotMetrics) -> Mapping[str, Channel]:
    """By device key; each camera's circuit is shown among the metrics."""
    labels = labels_of(settings)
    channels = {
        camera.device_key: Channel(
            make_camera(camera, settings), label=labels[camera.device_key], timeout=camera.timeout
        )
        for camera in settings.cameras
    }
    for key, channel in channels.items():
        metrics.circuit(key, lambda channel=channel: channel.breaker.state)  # type: ignore[misc]
    return channels


def fetch_of(service: Service) -> Fetch:
    """The fetch stage over a service's cameras."""
    return Fetch(
        service.channels,
        journal=service.journal,
        cache=service.cache,
        acknowledge=service.sources.acknowledge,
        max_age=service.settings.max_age,
        max_pixels=service.settings.max_pixels,
        count=service.metrics.snapshot,
        count_trigger=service.metrics.trigger,
    )
