"""Decisions as tests need them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from app.messages import Inspection, OutletDecision


def told(outlets: Iterable[str]) -> tuple[OutletDecision, ...]:
    """That these outlets are told."""
    return tuple(OutletDecision(outlet, tell=True, reason="") for outlet in outlets)


def told_to(inspection: Inspection, outlets: Iterable[str]) -> Inspection:
    """The inspection with the decision that these outlets are told."""
    return dataclasses.replace(inspection, decisions=told(outlets))
