"""The sections of the configuration for archives and retention."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pylib.settings.fields import Directory, Section


class ArchiveSettings(Section):
    """Pictures in date folders on a local or mounted disk."""

    dir: Directory | None = Field(default=None, description="Folder of the archive; no such archive unless set.")
    concurrency: int = Field(default=2, ge=1, le=32, description="Pictures written at once.")
    frames: Literal["best", "all"] = Field(
        default="best",
        description="Which pictures of a burst all archives get, S3 and Drive too: the event's (`best`), or `all`.",
    )
    animations: bool = Field(
        default=False,
        description="Whether all archives get the animations of events with several pictures too, in the formats of"
        " `animations.formats`.",
    )
    max_video_bytes: int = Field(
        default=50_000_000,
        ge=0,
        le=1_000_000_000,
        description="Bytes of the largest video, of those that cameras send, that all archives get; 0 for none. One is"
        " in memory while it is stored.",
    )
    alarm_after: float = Field(
        default=3600,
        ge=60,
        le=31_536_000,
        description="Seconds that a picture may wait for any archive, S3 and Drive included, before health and the"
        " monitors report a problem.",
    )
