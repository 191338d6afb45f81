"""Test messages: a drawn picture through an outlet that tells people, for the command and the button of that name."""

from __future__ import annotations

import dataclasses
import tempfile
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import publishers
from app.bootstrap.adapters import drawn_person, publisher_entries
from app.config.settings import Settings
from app.messages import PERSON, Box, Detection, Inspection, Label, Snapshot
from app.publishers import Publisher, PublisherContext
from pylib.errors import Permanent
from pylib.settings.error_texts import did_you_mean

PERSONS_BOX = Box(0.44, 0.5, 0.12, 0.4)
"""Where the drawn person stands."""

JOIN_S = 10.0


class UnknownOutlet(Permanent):
    """There is no such outlet, or it tells nobody."""


class SampleMessages:
    """Sends them, one at a time for an outlet, by publishers of its own: the running ones belong to their threads."""

    def __init__(self, settings: Settings, context: PublisherContext) -> None:
        """`context`: as the publishers have it, but for the name."""
        self._entries: Mapping[str, tuple[str, Any]] = {
            name: (kind, own) for kind, name, own in publisher_entries(settings) if publishers.KINDS.load(kind).notifies
        }
        self._context = context
        self._publishers: dict[str, Publisher] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The outlets that tell people."""
        return tuple(self._entries)

    def send(self, name: str) -> None:
        """Send one, and return when its target has it. Raises `UnknownOutlet`, `app.publishers.PublishError`."""
        if name not in self._entries:
            hint = did_you_mean(name, self._entries) or f"; there are: {', '.join(self._entries) or 'none'}"
            raise UnknownOutlet("unknown_outlet", f"no outlet {name[:50]!r} tells people{hint}")
        publisher = self._publishers.get(name) or self._made(name)
        if not publisher.threads:  # threads end, and do not start again
            self._publishers[name] = publisher  # and with it the limit of calls that hang
        for thread in publisher.threads:
            thread.start()
        try:
            with tempfile.TemporaryDirectory() as folder:
                publisher.publish(_event(Path(folder)))
        finally:
            for thread in publisher.threads:
                thread.stop()
            for thread in publisher.threads:
                thread.join(JOIN_S)

    def _made(self, name: str) -> Publisher:
        kind, own = self._entries[name]
        # Nothing is recorded of it, so no link would lead anywhere.
        context = dataclasses.replace(
            self._context,
            name=name,
            thumbnail_url=lambda _: "",
            picture_url=lambda _: "",
            archived_url=lambda _: "",
            stored_thumbnail=lambda _outlet, _: None,
            event_url=lambda _: "",
            snooze_url=lambda _: "",
            target_recovered=lambda: None,
        )
        return publishers.KINDS.load(kind)(own, context)


def _event(folder: Path) -> Inspection:
    picture, now = drawn_person(), datetime.now(UTC)
    event_id = uuid.uuid4().hex
    path = folder / f"{event_id}.jpg"
    path.write_bytes(picture)
    snapshot = Snapshot(event_id, "Test Camera", "Test", now, now, 0.0, "test", str(path), len(picture), 1280, 720)
    seen = Detection((Label(PERSON, 0.97, (PERSONS_BOX,)),), person_count=1)
    return Inspection(snapshot, "test", seen, "person")
