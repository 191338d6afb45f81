"""Where pictures come from, and what looks at them: cameras, uploads, the detector."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from app import wording
from app.bootstrap.adapters import drawn_person, make_camera, make_detector
from app.bootstrap.uploads import accounts_of, camera_folders_of, quarantine_of
from app.cameras import Camera, CameraSettings
from app.cli.check.finding import Finding, Verdict
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.detectors import Detector
from app.media.picture import examine
from pylib.errors import Failure
from pylib.net.login_throttle import read as bans_in

CAMERAS_AT_ONCE = 32
SHOWN = 5
"""Quarantined files that are named one by one."""


def cameras(settings: Settings) -> Iterator[Finding]:
    with ThreadPoolExecutor(CAMERAS_AT_ONCE) as pool:
        yield from pool.map(lambda camera: _camera(camera, settings), settings.cameras)


def _camera(configured: CameraSettings, settings: Settings) -> Finding:
    subject = f"camera {configured.device_key}"
    camera: Camera = make_camera(configured, settings)
    try:
        picture = examine(camera.snapshot().data, max_pixels=settings.max_pixels)
    except Failure as error:
        if error.code == "no_address":
            text = "no address configured: each trigger has to bring it (device_params)"
            return Finding(subject, Verdict.WARNING, text)
        remedy = wording.explain(error.code, of="camera", kind=configured.kind)[1]
        return Finding(subject, Verdict.WRONG, str(error), remedy)
    finally:
        camera.close()
    return Finding(subject, Verdict.OK, f"{picture.width}x{picture.height} {picture.format}")


def uploads(settings: Settings) -> Iterator[Finding]:
    accounts = accounts_of(settings)
    folders = ", ".join(map(str, camera_folders_of(settings).folders()[:3])) or "none"
    where = f"folders below {DataDir(settings.data_dir).uploads}: {folders}"
    if settings.ftp.enabled and accounts:
        yield Finding("ftp", Verdict.OK, f"port {settings.ftp.port}, {len(accounts)} login(s), {where}")
    else:
        yield Finding("ftp", Verdict.OK, f"no server (no login is set); {where}")
    for file in DataDir(settings.data_dir).bans:
        for ban in bans_in(file):
            text = f"{ban.address} is banned until {ban.until:%Y-%m-%d %H:%M} UTC after {ban.failures} bad logins"
            text += f" as {ban.login!r}" if ban.login else ""
            remedy = f"correct the login there; snapshot-processor bans lift {ban.address} ends the ban now"
            yield Finding("bans", Verdict.WARNING, text, remedy)
    quarantined = quarantine_of(settings).listed()
    for entry in quarantined[-SHOWN:]:
        yield Finding("quarantine", Verdict.WARNING, f"{entry.name}: {entry.reason}")
    if len(quarantined) > SHOWN:
        text = f"{len(quarantined)} files in {DataDir(settings.data_dir).quarantine}"
        yield Finding("quarantine", Verdict.WARNING, text, "look at them; they go by themselves after a while")


def detector(settings: Settings) -> Finding:
    kind = settings.detector.kind
    if kind == "none":
        return Finding("detector", Verdict.OK, "none: pictures are not looked at")
    try:
        looking: Detector | None = make_detector(settings, calls_this_month=lambda: 0)
        assert looking is not None  # noqa: S101 - only `none` is no detector
        try:
            seen = looking.detect(drawn_person())
        finally:
            looking.close()
    except Failure as error:
        return Finding("detector", Verdict.WRONG, f"{kind}: {error}")
    except ImportError as error:
        return Finding("detector", Verdict.WRONG, f"{kind}: {error}", "install the package it needs")
    return Finding("detector", Verdict.OK, f"{kind}, sees {seen.person_count} person(s) in a drawn test picture")
