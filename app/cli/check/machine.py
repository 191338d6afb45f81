"""This machine: the configuration on it, its disk, its clock, the data folder."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from app.bootstrap.probes import LEAST_DISK
from app.cli.check.finding import Finding, Verdict
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal.paths import recorded_paths
from app.media.film import encoder_hint
from app.sources.buckets.settings import BucketSourceSettings
from pylib.errors import Failure
from pylib.timezones import local_zone

TIME_ERROR = 5
"""What adjtimex(2) returns while the clock is not synchronised."""
SHOWN = 5
"""Missing pictures that are named one by one."""


def configuration(settings: Settings) -> Iterator[Finding]:
    source = str(settings.config_file) if settings.config_file else "environment only"
    yield Finding("configuration", Verdict.OK, f"{source}, {len(settings.cameras)} cameras")
    for warning in settings.warnings:
        yield Finding("configuration", Verdict.WARNING, warning)
    if not settings.cameras and not any(isinstance(entry, BucketSourceSettings) for entry in settings.sources):
        remedy = "add one to config.yml, or set OUTPUT_1_TYPE=Camera and OUTPUT_1_LOCATION"
        yield Finding("configuration", Verdict.WARNING, "no camera is configured", remedy)


def secrets(settings: Settings) -> Iterator[Finding]:
    path = settings.config_file
    if path and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH) and "password" in path.read_text():
        remedy = f"chmod 600 {path}"
        yield Finding("secrets", Verdict.WARNING, f"{path} holds passwords and others may read it", remedy)
    else:
        yield Finding("secrets", Verdict.OK, "read, and not readable by others")


def disk(folder: Path) -> Finding:
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


def privacy(folder: Path) -> Iterator[Finding]:
    with suppress(OSError):
        if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            text = f"other users of this machine may look into {folder}, at pictures and journal"
            yield Finding("data", Verdict.WARNING, text, f"chmod 700 {folder}, unless they are meant to")


def pictures(data: DataDir) -> Iterator[Finding]:
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


def clock(settings: Settings) -> Finding:
    now = datetime.now(local_zone(settings.time_zone))
    text = f"{now:%Y-%m-%d %H:%M:%S %Z}"
    if now.year < 2026:
        return Finding("clock", Verdict.WRONG, f"it is not {text}", "set the clock, switch on NTP")
    if _synchronised() is False:
        return Finding("clock", Verdict.WARNING, f"{text}, not synchronised", "switch on NTP on the host")
    return Finding("clock", Verdict.OK, text)


def films(settings: Settings) -> Iterator[Finding]:
    """Whether MP4 can be made, where it is wanted."""
    if "mp4" not in settings.animations.formats:
        return
    try:
        hint = encoder_hint()
    except Failure as error:
        remedy = "install snapshot-processor[films], or take mp4 out of animations.formats"
        yield Finding("films", Verdict.WRONG, str(error), remedy)
        return
    yield Finding("films", Verdict.WARNING if hint else Verdict.OK, hint or "H.264")


def _synchronised() -> bool | None:
    """Whether the kernel's clock is synchronised (Linux's adjtimex(2)); None where it does not report that."""
    with suppress(AttributeError, OSError):
        status: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # zeroed: asks, sets nothing
        return None if status < 0 else status != TIME_ERROR
    return None
