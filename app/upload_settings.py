"""What can be configured about the files that cameras send."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.sections import Section, SmallLetters
from app.taken_at import NEEDED


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
"""A regular expression with the groups of `app.taken_at.NEEDED`."""


class UploadSettings(Section):
    """What becomes of files that cameras send, by FTP, by mail or into a folder."""

    watch: Annotated[Literal["inotify", "polling"], SmallLetters] = Field(
        default="inotify",
        description="How files that others put into the upload area are noticed: inotify, or polling for NFS, SMB"
        " and folders shared with another system.",
    )
    polling_interval: float = Field(default=2, ge=0.1, le=3600, description="Seconds between looks when polling.")
    scan_interval: float = Field(
        default=30, ge=0.1, le=86_400, description="Seconds between scans for what was not noticed."
    )
    quiet_time: float = Field(
        default=5,
        ge=0.1,
        le=3600,
        description="Seconds without a change after which such a file is complete.",
    )
    patience: float = Field(
        default=60,
        ge=0.1,
        le=86_400,
        description="The same for a temporary name (.tmp, .part, a leading dot) and a file that does not look whole.",
    )
    max_bytes: int = Field(default=50_000_000, ge=1_000, description="Larger files are quarantined, not decoded.")
    videos: Annotated[Literal["keep", "ignore"], SmallLetters] = Field(
        default="keep",
        description="Videos among the pictures: keep them in the data directory's videos/, or ignore them: what our"
        " server receives is let go of, and what others put into the area stays there.",
    )
    settle: float = Field(
        default=0,
        ge=0,
        le=3600,
        description="Seconds within which what a camera pushes becomes one event, with the best picture; 0: each does.",
    )
    time_patterns: tuple[TimePattern, ...] = Field(
        default=(),
        description="Regular expressions for the time in files' names, tried before the known ones, with the groups"
        " year, month, day, hour, minute, and maybe second, fraction, zone.",
    )
    max_age_days: float = Field(
        default=7,
        gt=0,
        le=3650,
        description="A picture that claims to be older than that was taken when it came.",
    )
    quarantine_days: float = Field(
        default=30, gt=0, le=3650, description="Days for which files that are no pictures are kept."
    )
    quarantine_bytes: int = Field(
        default=500_000_000, ge=0, description="Bytes that they may take; beyond it the oldest go."
    )

    @property
    def patterns(self) -> list[re.Pattern[str]]:
        """`time_patterns`, compiled."""
        return [re.compile(pattern) for pattern in self.time_patterns]
