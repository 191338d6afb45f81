"""Builds what decides who is told."""

from __future__ import annotations

from collections.abc import Sequence

from app.bootstrap.core import Core
from app.bootstrap.outlets import Outlet, names
from app.pipeline.decide import Decide
from app.rules.evaluate import Outlets
from pylib.timezones import local_zone


def decide_of(core: Core, outlets: Sequence[Outlet]) -> Decide:
    """It decides for these outlets, by the rules as the file has them at that moment."""
    return Decide(
        Outlets(
            tuple(names(outlets)),
            notifying=frozenset(outlet.name for outlet in outlets if outlet.notifies),
            digesting=frozenset(outlet.name for outlet in outlets if outlet.digests),
        ),
        book=lambda: core.rules.book,
        switches=core.telling,
        told=core.journal,
        zone=local_zone(core.settings.time_zone),
    )
