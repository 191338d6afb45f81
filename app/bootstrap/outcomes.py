"""What is expected to work, and the checks that say whether it was seen to."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from app import archives, detectors, publishers, sources
from app.bootstrap.adapters import archive_entries, detector_settings, publisher_entries
from app.bootstrap.core import Core
from app.bootstrap.outlets import Outlet
from app.bootstrap.sources import source_entries
from app.bootstrap.uploads import accounts_of
from app.journal.mirror import INDEX
from app.monitoring.outcomes import CHECKS, Subject
from app.monitoring.sentences import failure, status_of
from app.monitoring.tally import UPLOADS
from pylib.observability.health import Status, worst

REFUSALS = 3
"""Refused in a row, by whoever sent them: one is its sender's mistake, so many are likely ours."""


def expect_all(core: Core) -> None:
    """Name everything that the settings say should work."""
    settings, expect = core.settings, core.outcomes.expect
    for camera in settings.cameras:
        expect("camera", camera.device_key, title=core.labels[camera.device_key], kind=camera.kind)
    for detector in detector_settings(settings):
        expect("detector", detector.kind, title=detectors.KINDS.title(detector.kind), kind=detector.kind)
    for kind, name, _ in publisher_entries(settings):
        expect("publisher", name, title=publishers.KINDS.title(name), kind=kind, tolerance=0)
    if settings.index.url.get_secret_value():
        expect("publisher", INDEX, title="The shared index", kind=INDEX, tolerance=0)
    for kind, name, _ in archive_entries(settings):
        expect("archive", name, title=archives.KINDS.title(name), kind=kind, tolerance=0)
    receives = settings.mail.enabled or (settings.ftp.enabled and bool(accounts_of(settings)))
    expect("upload", UPLOADS, title="Uploads", tolerance=REFUSALS, optional=not receives)
    for kind, name, _ in source_entries(settings):
        # MQTT is often there for what it is told, and triggers nothing.
        title, quiet = sources.KINDS.title(name), kind == sources.MQTT
        expect("trigger", name, title=title, kind=kind, tolerance=REFUSALS, optional=quiet)


def check_all(core: Core) -> None:
    """Have health say how each subject does, of which there is any."""
    for subject, name in CHECKS.items():
        if any(one.subject == subject for one in core.outcomes.expected):
            core.health.add(name, _of_subject(core, subject), critical=False, alarm=True)


def seen(core: Core, outlet: Outlet) -> Callable[[], Status]:
    """An outlet's own probe, with how its last deliveries went."""

    def probe() -> Status:
        status = outlet.probe()
        outcome = core.outcomes.of("archive" if outlet.keeps else "publisher", outlet.name)
        if outcome is None or outcome.state == "working":
            return status
        said = "not tried yet" if outcome.state == "untried" else failure(outcome, time.time())
        state = worst((status.state, outcome.state))
        return dataclasses.replace(status, detail=f"{status.detail}; {said}", state=state)

    return probe


def _of_subject(core: Core, subject: Subject) -> Callable[[], Status]:
    return lambda: status_of(core.outcomes.all(subject), time.time())
