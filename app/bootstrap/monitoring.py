"""Builds the external monitors, which notice when this service falls silent."""

from __future__ import annotations

import math
import time

from app.config.settings import Settings
from app.monitoring.monitors import Cronitor, Healthchecks, Monitor, Monitors
from pylib.observability.health import Health
from pylib.runtime.periodic import Every, Periodic

SETTLED_S = 30.0
"""Seconds after the start from which on external monitors get problems."""


def monitors_of(settings: Settings, health: Health) -> Periodic | None:
    """The thread that pings them, or None where there are none."""
    watchers = _watchers(settings)
    if not watchers:
        return None
    monitors = Monitors(watchers, health.problem)
    due = math.inf

    def report() -> None:
        nonlocal due
        # Threads start one after another and the broker takes a moment: no reason for an alarm.
        due = min(due, time.monotonic() + min(settings.monitors.interval, SETTLED_S))
        if time.monotonic() >= due or not health.problem():
            monitors()

    return Periodic("monitors", report, Every(settings.monitors.interval))


def _watchers(settings: Settings) -> list[Monitor]:
    monitors = settings.monitors
    watchers: list[Monitor] = []
    if monitors.hc_ping_url.get_secret_value():
        watchers.append(Healthchecks(monitors.hc_ping_url))
    if monitors.cronitor_monitor_key.get_secret_value():
        watchers.append(
            Cronitor(monitors.cronitor_monitor_key, host=settings.device_name, base_url=monitors.cronitor_base_url)
        )
    return watchers
