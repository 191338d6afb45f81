"""The checks of `snapshot-processor check`: one line each, with what is wrong and what to do about it."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from app import publishers, wire, wording
from app.bootstrap.adapters import drawn_person, make_archives, make_camera, make_detector, notifying_names
from app.bootstrap.probes import LEAST_DISK
from app.bootstrap.uploads import accounts_of, camera_folders_of, quarantine_of
from app.cameras import Camera, CameraSettings
from app.cli.amqp_client import AmqpClient
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.detectors import Detector
from app.journal.album import recorded_labels
from app.journal.paths import recorded_paths
from app.media.picture import examine
from app.naming import CameraNames
from app.publishers import PublisherContext
from app.rules.file import read_rules
from app.sources.mqtt import MqttSourceSettings, subscriptions
from app.sources.rabbitmq import subscription
from app.web.access import is_loopback
from pylib.errors import Failure
from pylib.mqtt.connection import Connection
from pylib.mqtt.settings import MqttSettings
from pylib.net.login_throttle import read as bans_in
from pylib.rabbitmq.topology import lift_limit
from pylib.settings.draft import ConfigError
from pylib.settings.error_texts import did_you_mean
from pylib.timezones import local_zone

TIME_ERROR = 5
"""What adjtimex(2) returns while the clock is not synchronised."""
CAMERAS_AT_ONCE = 32
SHOWN = 5
"""Quarantined files that are named one by one."""


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check."""

    subject: str
    verdict: Verdict
    text: str
    remedy: str = ""
    """The next step, where there is one."""


def check(settings: Settings) -> Iterator[Finding]:
    """Check everything that the settings configure; findings come as they are made."""
    yield from _configuration(settings)
    yield from _secrets(settings)
    yield _disk(settings.data_dir)
    yield from _private(settings.data_dir)
    yield from _pictures(DataDir(settings.data_dir))
    yield _clock(settings)
    yield _broker(settings)
    yield from _mqtt(settings)
    yield from _cameras(settings)
    yield from _uploads(settings)
    yield _detector(settings)
    yield from _publishers(settings)
    yield from _rules(settings)
    yield from _archives(settings)
    yield from _album(settings)


def _configuration(settings: Settings) -> Iterator[Finding]:
    source = str(settings.config_file) if settings.config_file else "environment only"
    yield Finding("configuration", Verdict.OK, f"{source}, {len(settings.cameras)} cameras")
    for warning in settings.warnings:
        yield Finding("configuration", Verdict.WARNING, warning)
    if not settings.cameras:
        remedy = "add one to config.yml, or set OUTPUT_1_TYPE=Camera and OUTPUT_1_LOCATION"
        yield Finding("configuration", Verdict.WARNING, "no camera is configured", remedy)


def _secrets(settings: Settings) -> Iterator[Finding]:
    path = settings.config_file
    if path and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH) and "password" in path.read_text():
        remedy = f"chmod 600 {path}"
        yield Finding("secrets", Verdict.WARNING, f"{path} holds passwords and others may read it", remedy)
    else:
        yield Finding("secrets", Verdict.OK, "read, and not readable by others")


def _album(settings: Settings) -> Iterator[Finding]:
    web = settings.web
    if not web.enabled:
        return
    address = web.public_url or web.own_url
    if web.password.get_secret_value():
        yield Finding("album", Verdict.OK, f"{address}/ with the password")
    elif is_loopback(web.host) and not web.public_url:
        yield Finding("album", Verdict.OK, f"{address}/ for whoever is on this machine")
    else:
        text = f"{address}/ with the password that the service makes and shows once in its log, as login_with"
        remedy = "set WEB_PASSWORD to choose one; delete web/password in the data directory to have another made"
        yield Finding("album", Verdict.OK, text, remedy)
    if web.public_url and not web.trusted_proxies:
        text = "all who come through the reverse proxy share one count of wrong passwords"
        yield Finding("album", Verdict.WARNING, text, "set WEB_TRUSTED_PROXIES to the proxy's address")


def _disk(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        remedy = "make the folder writable for this user, or set DATA_DIR (in Docker: make user)"
        return Finding("disk", Verdict.WRONG, f"cannot write in {folder}: {error.strerror}", remedy)
    if free < LEAST_DISK:
        return Finding("disk", Verdict.WRONG, f"{free / 1e6:.0f} MB free in {folder}", "free some space")
    return Finding("disk", Verdict.OK, f"{folder}, {free / 1e9:.1f} GB free")


def _private(folder: Path) -> Iterator[Finding]:
    with suppress(OSError):
        if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            text = f"other users of this machine may look into {folder}, at pictures and journal"
            yield Finding("data", Verdict.WARNING, text, f"chmod 700 {folder}, unless they are meant to")


def _pictures(data: DataDir) -> Iterator[Finding]:
    if not data.journal.exists():
        return
    try:
        recorded = set(recorded_paths(data.journal))
    except Failure as error:
        yield Finding("pictures", Verdict.WRONG, str(error), "restore the data folder from a backup")
        return
    missing = sorted(path for path in recorded if not Path(path).exists())
    text = f"{len(recorded)} recorded, {len(missing) or 'none'} missing"
    if missing:
        remedy = "restore them from a backup or an archive; their events stay as they are"
        yield Finding("pictures", Verdict.WRONG, f"{text}: {', '.join(missing[:SHOWN])}", remedy)
    else:
        yield Finding("pictures", Verdict.OK, text)


def _clock(settings: Settings) -> Finding:
    now = datetime.now(local_zone(settings.time_zone))
    text = f"{now:%Y-%m-%d %H:%M:%S %Z}"
    if now.year < 2026:
        return Finding("clock", Verdict.WRONG, f"it is not {text}", "set the clock, switch on NTP")
    if _synchronised() is False:
        return Finding("clock", Verdict.WARNING, f"{text}, not synchronised", "switch on NTP on the host")
    return Finding("clock", Verdict.OK, text)


def _synchronised() -> bool | None:
    """Whether the kernel's clock is synchronised (Linux's adjtimex(2)); None where it does not report that."""
    with suppress(AttributeError, OSError):
        status: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # zeroed: asks, sets nothing
        return None if status < 0 else status != TIME_ERROR
    return None


def _broker(settings: Settings) -> Finding:
    if not settings.rabbitmq.server_address:
        remedy = "set RABBITMQ_SERVER_ADDRESS to take triggers from sensors"
        return Finding("broker", Verdict.WARNING, "none configured: triggers by HTTP and schedule only", remedy)
    broker, own = settings.rabbitmq.broker, subscription(settings.rabbitmq, app_name=settings.app_name)
    try:
        with AmqpClient(broker, settings.rabbitmq) as client:
            safe = client.declare(own)
    except Failure as error:
        return Finding("broker", Verdict.WRONG, str(error), wording.explain(error.code, of="publisher")[1])
    if not safe:
        text = (
            f"an earlier release made {own.queue}: this broker dead-letters what it delivered 20 times, crashes "
            "included, unless a policy of yours lifts that"
        )
        return Finding("broker", Verdict.WARNING, text, lift_limit(own, vhost=broker.vhost))
    key = wire.trigger_key(settings.rabbitmq.device_topic)
    return Finding(
        "broker", Verdict.OK, f"{broker.address}, triggers as {key!r} on {settings.rabbitmq.exchange}_control"
    )


def _mqtt(settings: Settings) -> Iterator[Finding]:
    own = [("mqtt", settings.mqtt)] if settings.mqtt.server_address else []
    named = [(one.title, one) for one in (*settings.sources, *settings.publishers) if isinstance(one, MqttSettings)]
    for name, entry in [*own, *named]:
        subject = "mqtt" if name == "mqtt" else f"mqtt {name}"
        sources = [entry] if isinstance(entry, MqttSourceSettings) else []
        yield _mqtt_broker(subject, entry, [topic for source in sources for topic in subscriptions(source)])
        names = CameraNames([camera.device_key for camera in settings.cameras])
        for index, mapped in enumerate(mapped for source in sources for mapped in source.topics):
            try:
                names.find(mapped.camera)
            except Failure as error:
                remedy = "correct the name, or add the camera"
                yield Finding(subject, Verdict.WRONG, f"topics[{index}] ({mapped.topic}): {error}", remedy)


def _mqtt_broker(subject: str, entry: MqttSettings, topics: Sequence[str]) -> Finding:
    connection = Connection("check", entry.broker, client_id=entry.client("check"), subscriptions=topics)
    try:
        connection.probe()
    except Failure as error:
        return Finding(subject, Verdict.WRONG, str(error), wording.explain(error.code, of="publisher")[1])
    if connection.refused:
        text = f"{entry.broker.address} does not let us subscribe to {', '.join(sorted(connection.refused))}"
        return Finding(subject, Verdict.WRONG, text, "allow this user to read these topics, or correct MQTT_USERNAME")
    return Finding(subject, Verdict.OK, f"{entry.broker.address}, topics below {entry.prefix}/")


def _cameras(settings: Settings) -> Iterator[Finding]:
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
        return Finding(subject, Verdict.WRONG, str(error), wording.explain(error.code, of="camera")[1])
    finally:
        camera.close()
    return Finding(subject, Verdict.OK, f"{picture.width}x{picture.height} {picture.format}")


def _rules(settings: Settings) -> Iterator[Finding]:
    data = DataDir(settings.data_dir)
    try:
        cameras = [camera.device_key for camera in settings.cameras]
        book = read_rules(data.rules, cameras=cameras, outlets=notifying_names(settings))
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("rules", Verdict.WRONG, problem, "correct the file; the service then reads it by itself")
        return
    text = f"{len(book.rules)} rules, {len(book.zones)} zones"
    yield Finding("rules", Verdict.OK, text if data.rules.exists() else "none: everything is told")
    seen = recorded_labels(data.journal) if data.journal.exists() else []
    for rule in book.rules:
        for name in rule.labels if seen else ():
            if name.casefold() not in map(str.casefold, seen):
                text = f"{rule.name}: no picture ever showed a {name!r}{did_you_mean(name, seen)}"
                yield Finding("rules", Verdict.WARNING, text, "nothing, if one is still to come")


def _uploads(settings: Settings) -> Iterator[Finding]:
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


def _detector(settings: Settings) -> Finding:
    kind = settings.detector.kind
    if kind == "none":
        return Finding("detector", Verdict.OK, "none: pictures are not looked at")
    try:
        detector: Detector | None = make_detector(settings, calls_this_month=lambda: 0)
        assert detector is not None  # noqa: S101 - only `none` is no detector
        try:
            seen = detector.detect(drawn_person())
        finally:
            detector.close()
    except Failure as error:
        return Finding("detector", Verdict.WRONG, f"{kind}: {error}")
    except ImportError as error:
        return Finding("detector", Verdict.WRONG, f"{kind}: {error}", "install the package it needs")
    return Finding("detector", Verdict.OK, f"{kind}, sees {seen.person_count} person(s) in a drawn test picture")


def _publishers(settings: Settings) -> Iterator[Finding]:
    """Whether what is configured can be used; nothing is sent."""
    for entry in settings.publishers:
        subject, kind = f"publisher {entry.title}", publishers.KINDS.load(entry.kind)
        context = PublisherContext(entry.title, data_dir=settings.data_dir, zone=local_zone(settings.time_zone))
        try:
            kind(entry, context)
        except Failure as error:
            yield Finding(subject, Verdict.WRONG, str(error), wording.explain(error.code, of="publisher")[1])
            continue
        remedy = f"snapshot-processor notify test {entry.title} sends a message" if kind.notifies else ""
        yield Finding(subject, Verdict.OK, kind.title, remedy)


def _archives(settings: Settings) -> Iterator[Finding]:
    try:
        found = make_archives(settings, used=lambda _name: True)  # nothing is marked as ours by a mere look
    except Failure as error:
        yield Finding("archive", Verdict.WRONG, str(error))
        return
    for archive in found:
        subject = f"archive {archive.name}"
        try:
            yield Finding(subject, Verdict.OK, archive.describe() or "there")
        except Failure as error:
            yield Finding(subject, Verdict.WRONG, str(error))
        finally:
            archive.close()
    if not found:
        remedy = "set ARCHIVE_DIR, S3_BUCKET or GOOGLE_DRIVE_FOLDER to keep pictures longer than the cache does"
        yield Finding("archive", Verdict.OK, "none configured", remedy)
