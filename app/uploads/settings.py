"""The settings of uploads: the files that cameras send."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.uploads.capture_time import NEEDED
from app.uploads.ignored import LITTER
from pylib.settings.fields import Section, SmallLetters


def _pattern(value: str) -> str:
    try:
        groups = re.compile(value).groupindex
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    missing = sorted(NEEDED - set(groups))
    if missing:
        raise ValueError(f"needs named groups such as (?P<{missing[0]}>...) for {', '.join(missing)}")
    return value


TimePattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression with the groups of `app.uploads.capture_time.NEEDED`."""


class UploadSettings(Section):
    """What becomes of files that cameras send, by FTP, by mail or into a folder."""

    watch: Annotated[Literal["inotify", "polling"], SmallLetters] = Field(
        default="inotify",
        description="How files by other programs in the upload area are found: inotify, or polling for NFS, SMB and"
        " folders shared with a virtual machine.",
    )
    polling_interval: float = Field(default=2, ge=0.1, le=3600, description="Seconds between two looks with polling.")
    scan_interval: float = Field(
        default=30, ge=0.1, le=86_400, description="Seconds between full scans for files that were missed."
    )
    quiet_time: float = Field(
        default=5,
        ge=0.1,
        le=3600,
        description="Seconds without a change after which a file by another program is complete.",
    )
    patience: float = Field(
        default=60,
        ge=0.1,
        le=86_400,
        description="Seconds without a change after which a file is processed although it has a temporary name (.tmp,"
        " .part, a leading dot) or looks incomplete; a whole picture becomes an event, anything else goes to"
        " quarantine.",
    )
    max_bytes: int = Field(
        default=50_000_000, ge=1_000, description="Larger files go to quarantine, and are not decoded."
    )
    videos: Annotated[Literal["keep", "ignore"], SmallLetters] = Field(
        default="keep",
        description="keep moves videos to videos/ in the data directory; ignore discards those that our servers"
        " receive, and leaves those by other programs in the upload area.",
    )
    ignore: tuple[str, ...] = Field(
        default=LITTER,
        description="Names of files and folders in the upload area that are left where they are, in any case, with *"
        " and ?: what NAS systems, PCs and synchronisers put there. A list of your own replaces this one.",
    )
    settle: float = Field(
        default=0,
        ge=0,
        le=3600,
        description="Seconds within which several pictures of a camera become one event, with the best of them; 0 makes"
        " an event of each.",
    )
    time_patterns: tuple[TimePattern, ...] = Field(
        default=(),
        description="Regular expressions for the time in file names, tried before the built-in ones, with the groups"
        " year, month, day, hour, minute, and optionally second, fraction, ampm, zone.",
    )
    max_age_days: float = Field(
        default=7,
        gt=0,
        le=3650,
        description="Days; a picture that claims to be older gets the time of its arrival.",
    )
    quarantine_days: float = Field(default=30, gt=0, le=3650, description="Days for which quarantined files are kept.")
    quarantine_bytes: int = Field(
        default=500_000_000, ge=0, description="Bytes of all quarantined files; beyond that the oldest are deleted."
    )

    @property
    def patterns(self) -> list[re.Pattern[str]]:
        """`time_patterns`, compiled."""
        return [re.compile(pattern) for pattern in self.time_patterns]
