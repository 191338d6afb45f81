"""Prints an event for `snapshot-processor watch`: a line for people or for programs, and the picture on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from app.media.formats import SUFFIXES, format_of
from app.naming import slug


class EventPrinter:
    """Shows events one by one, and counts them."""

    def __init__(self, *, save: Path | None, as_json: bool, echo: Callable[[str], object]) -> None:
        self._save = save
        self._as_json = as_json
        self._echo = echo
        self.count = 0

    def show(self, event: dict[str, Any]) -> None:
        """One event: one line for each of its inputs."""
        self.count += 1
        for entry in event["inputs"]:
            image = entry.pop("image", b"") or b""
            kept = self._keep(entry, image) if image and self._save else None
            self._echo(self._line(event, entry, image, kept))

    def _line(self, event: dict[str, Any], entry: dict[str, Any], image: bytes, kept: Path | None) -> str:
        if self._as_json:
            more = {"image_bytes": len(image), **({"saved": str(kept)} if kept else {})}
            return json.dumps({**event, "inputs": [{**entry, **more}]}, default=str)
        words = [
            f"{datetime.now().astimezone():%H:%M:%S}",
            str(entry.get("device_label", "?")),
            str(entry.get("event_detail") or entry.get("problem") or entry.get("decision") or ""),
            f"{len(image)} bytes",
            str(kept or entry.get("storage_path", "")),
        ]
        return "  ".join(word for word in words if word)

    def _keep(self, entry: dict[str, Any], image: bytes) -> Path | None:
        assert self._save is not None  # noqa: S101 - asked for
        self._save.mkdir(parents=True, exist_ok=True)
        parts = (str(entry.get(key, "")) for key in ("image_timestamp", "device_key", "event_id"))
        path = self._save / f"{slug('-'.join(parts))}{SUFFIXES.get(format_of(image), '.bin')}"
        path.write_bytes(image)
        return path
