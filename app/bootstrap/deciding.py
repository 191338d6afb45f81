"""Builds what decides who is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from app import publishers
from app.bootstrap.adapters import publisher_entries
from app.bootstrap.core import Core
from app.bootstrap.outlets import Outlet, keepers, names
from app.config.settings import Settings
from app.messages import Snapshot
from app.pipeline.decide import Decide
from app.pipeline.settle import Settle
from app.rules.evaluate import Outlets
from pylib.timezones import local_zone


def outlets_of(settings: Settings) -> Outlets:
    """The outlets that these settings make, as far as rules are concerned; nothing is made."""
    kinds = {name: publishers.KINDS.load(kind) for kind, name, _ in publisher_entries(settings)}
    return Outlets(
        tuple(kinds),
        notifying=frozenset(name for name, kind in kinds.items() if kind.notifies),
        digesting=frozenset(name for name, kind in kinds.items() if hasattr(kind, "publish_digest")),
    )


def decide_of(core: Core, outlets: Sequence[Outlet]) -> Decide:
    """It decides for these outlets, by the rules as the file has them at that moment."""
    known = outlets_of(core.settings)
    return Decide(
        dataclasses.replace(known, names=tuple(names(outlets))),
        book=lambda: core.rules.book,
        switches=core.telling,
        told=core.journal,
        zone=local_zone(core.settings.time_zone),
    )


def settle_of(core: Core, outlets: Sequence[Outlet], decide: Decide, *, holds: Callable[[Snapshot], bool]) -> Settle:
    """The stage that makes one event of the snapshots that come together."""
    seconds, archives = core.settings.uploads.settle, keepers(outlets)
    return Settle(seconds, journal=core.journal, decide=decide, archives=archives, holds=holds)
