"""Builds the index that replicas share; without `DATABASE_URL` the journal is all there is, and nothing is loaded."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from app.archives import Archive
from app.bootstrap.archives import thumbnails_of
from app.bootstrap.core import Core
from app.bootstrap.outlets import Outlet
from app.bootstrap.publishing import undelivered
from app.config.data_dir import DataDir
from app.index import EventIndex
from app.journal import Journal
from app.journal.entries import Entry
from app.journal.mirror import INDEX
from app.messages import Message
from app.pipeline.live import InProcessEvents
from pylib.observability.health import State, Status
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.relay import ZmqRelay

LOOK_EVERY_S = 0.25
"""Seconds between two looks at what other replicas did: their events are on a page within a second."""


class IndexParts:
    """What the album asks, and the outlet that brings the shared index up to date."""

    def __init__(self, core: Core, archives: Sequence[Archive]) -> None:
        """Raises `pylib.errors.Failure` where the address makes no sense."""
        self._core = core
        self.events: EventIndex = core.journal
        """What the album and the API ask."""
        self.elsewhere = InProcessEvents()
        """Where those who listen hear of other replicas' events."""
        self.away: Callable[[], str] = lambda: ""
        self.fetch: Callable[[Entry], None] = lambda _entry: None
        self.outlets: list[Outlet] = []
        if core.settings.index.url.get_secret_value():
            self._share(archives)

    def open(self, relays: Mapping[str, ZmqRelay[Message]]) -> None:
        """Have the journal keep what the index does not have yet. `relays`: of all outlets, by name."""
        if not self.outlets:  # nobody would hear that they were deleted
            shutil.rmtree(DataDir(self._core.settings.data_dir).elsewhere, ignore_errors=True)
        self._core.journal.mirror(wanted=bool(self.outlets))
        for outlet in self.outlets:
            self._core.live.listen(lambda _inspection, name=outlet.name: relays[name].recheck())  # type: ignore[misc]

    def _share(self, archives: Sequence[Archive]) -> None:
        # Loaded here: one machine alone needs none of it.
        from app.index.database import IndexDatabase
        from app.index.follow import Follow
        from app.index.outlet import Mirror
        from app.index.pictures import ElsewherePictures
        from app.index.shared import TIDY_EVERY_S, SharedIndex

        core, settings = self._core, self._core.settings
        database = IndexDatabase(
            settings.index.url.get_secret_value(), device_name=settings.device_name, journal=core.journal.identity
        )
        thumbnails = thumbnails_of(settings)
        pictures = ElsewherePictures(DataDir(settings.data_dir).elsewhere, archives, dropped=thumbnails.drop)
        events = SharedIndex(database, core.journal, pictures)
        self.events, self.fetch, self.away = events, pictures.fetch, lambda: events.away
        follow = Follow(database, journal=core.journal, tell=self.elsewhere.handle)
        mirror = Mirror(database, journal=core.journal, count=core.tally.publication)
        self.outlets = [
            Outlet(
                name=INDEX,
                title="the shared index",
                relay_name="index",
                meter=INDEX,
                stage=mirror,
                workers=1,
                probe_name="shared index",
                probe=lambda: _probed(core.journal, database.waiting),
                threads=[
                    Periodic("index of others", follow.look, Every(LOOK_EVERY_S)),
                    Periodic("tidy index", events.tidy, Every(TIDY_EVERY_S)),
                ],
                mirrors=True,
                try_now=mirror.try_now,
            )
        ]


def _probed(journal: Journal, waiting: Sequence[str]) -> Status:
    status = undelivered(journal, INDEX)
    state: State = "degraded" if waiting and status.ok else status.state
    return replace(status, state=state, detail="; ".join([status.detail, *waiting]))
