"""The home's time zone."""

from __future__ import annotations

from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo


def local_zone(name: str) -> tzinfo:
    """The home's time zone: the one of this name, or for an empty one the system's, or else UTC."""
    if name:
        return ZoneInfo(name)
    try:
        with Path("/etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC
