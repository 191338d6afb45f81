"""Where pictures come from, and what looks at them: cameras, uploads, the detector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from app import wording
from app.bootstrap.adapters import detector_settings, drawn_person, make_detector, make_lookers
from app.bootstrap.next_steps import upload_folders
from app.bootstrap.trying import Tried, try_camera
from app.bootstrap.uploads import accounts_of, quarantine_of
from app.cameras import CameraSettings
from app.cli.check.finding import Finding, Verdict
from app.cli.terminal import people
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.describe.server import DescribingServer
from app.detectors import DetectorSettings, advice, description
from pylib.errors import Failure
from pylib.net.login_throttle import read as bans_in

CAMERAS_AT_ONCE = 32
SHOWN = 5
"""Quarantined files that are named one by one."""


def cameras(settings: Settings, chosen: Sequence[CameraSettings] | None = None) -> Iterator[Finding]:
    """Whether pictures come from these, or from all."""
    with ThreadPoolExecutor(CAMERAS_AT_ONCE) as pool:
        for tried in pool.map(lambda one: try_camera(one, settings), settings.cameras if chosen is None else chosen):
            yield from _camera(tried)


def _camera(tried: Tried) -> Iterator[Finding]:
    subject, picture = f"camera {tried.camera.device_key}", tried.picture
    if tried.problem and tried.problem.code == "no_address":
        text = "no address configured: each trigger has to bring it (device_params)"
        yield Finding(subject, Verdict.WARNING, text)
    elif picture is None:
        yield Finding(subject, Verdict.WRONG, str(tried.problem), tried.remedy)
    else:
        yield Finding(subject, Verdict.OK, f"{picture.width}x{picture.height} {picture.format}")
    for remark in tried.remarks:
        if remark.remedy:
            yield Finding(subject, Verdict.WARNING, remark.text, remark.remedy)


def uploads(settings: Settings) -> Iterator[Finding]:
    accounts = accounts_of(settings)
    where = f"folders below {DataDir(settings.data_dir).uploads}: {upload_folders(settings)}"
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


def describe(settings: Settings) -> Iterator[Finding]:
    """Whether the server that describes pictures is there and has the model; nothing is sent to it."""
    if not settings.describe.url:
        return
    server = DescribingServer(settings.describe)
    try:
        yield Finding("describe", Verdict.OK, server.check())
    except Failure as error:
        yield Finding("describe", Verdict.WRONG, str(error), wording.explain(error.code, of="job")[1])
    finally:
        server.close()


def detectors(settings: Settings) -> Iterator[Finding]:
    if settings.detector.kind == "none":
        yield Finding("detector", Verdict.OK, "none: pictures are not looked at")
    findings = [_detector(own, settings) for own in detector_settings(settings)]
    yield from findings
    if all(finding.verdict is Verdict.OK for finding in findings):
        try:
            lookers = make_lookers(settings)
        except Failure as error:  # how they go together, or what they may cost
            yield Finding("detector", Verdict.WRONG, f"{settings.detector.kind}: {error}")
        else:
            for looker in lookers.values():
                looker.close()


def _detector(own: DetectorSettings, settings: Settings) -> Finding:
    kind = own.kind
    try:
        looking = make_detector(own, settings)
        try:
            seen = looking.detect(drawn_person())
            which = description(looking, kind)
        finally:
            looking.close()
    except Failure as error:
        remedy = wording.explain(error.code, of="detector", kind=kind)[1]
        return Finding("detector", Verdict.WRONG, f"{kind}: {error}", remedy)
    except ImportError as error:
        return Finding("detector", Verdict.WRONG, f"{kind}: {error}", "install the package it needs")
    text = f"{which}, sees {people(seen.person_count)} in a drawn test picture"
    return Finding("detector", Verdict.OK, text, advice(kind))
