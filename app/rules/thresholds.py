"""Confidences from which on a camera's labels are right, by what people have corrected in the album."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.messages import Inspection

ENOUGH = 10
"""Events in which people named what is there, and this label was seen or named, that a proposal needs."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The confidence from which on one label of one camera is best believed."""

    camera: str
    detector: str
    label: str
    threshold: float
    """0..1; the least confidence that counts."""
    events: int
    """In which people named what is there, and it was seen or named."""
    wrong_now: int
    """Of these: it was seen and is not there, or is there and was not seen."""
    wrong_then: int
    """The same, had what is below the threshold been left out."""
    missed: int
    """Of these: it is there and was not seen at all, which only a lower minimum confidence, or another detector, can
    change."""


def proposals(inspections: Iterable[Inspection], *, enough: int = ENOUGH) -> list[Proposal]:
    """One for each camera, detector and label with enough events in which people named what is there."""
    seen: dict[tuple[str, str, str], list[tuple[float, bool]]] = defaultdict(list)
    for inspection in inspections:
        named = inspection.review.labels
        if named is None or not inspection.detector:
            continue
        detected = {label.name.casefold(): label for label in inspection.detection.labels}
        there = {name.casefold(): name for name in named}
        for key in detected.keys() | there.keys():
            name = detected[key].name if key in detected else there[key].capitalize()
            confidence = detected[key].confidence if key in detected else 0.0
            seen[inspection.camera, inspection.detector, name].append((confidence, key in there))
    return [_proposal(*which, events) for which, events in sorted(seen.items()) if _tells(events, enough)]


def _tells(events: Sequence[tuple[float, bool]], enough: int) -> bool:
    """Whether there are enough, and it was seen at all."""
    return len(events) >= enough and any(confidence for confidence, _ in events)


def _proposal(camera: str, detector: str, label: str, events: Sequence[tuple[float, bool]]) -> Proposal:
    # Midway between what was seen with one confidence and with the next, and below all; the lowest of the best, as
    # missing somebody is worse than one message too many.
    found = sorted({confidence for confidence, _ in events if confidence})
    between = [(low + high) / 2 for low, high in pairwise(found)]
    steps = [0.0, *between, min(1.0, found[-1] + 0.01)]
    threshold = min(steps, key=lambda step: (_wrong(events, step), step))
    return Proposal(
        camera=camera,
        detector=detector,
        label=label,
        threshold=round(threshold, 2),
        events=len(events),
        wrong_now=_wrong(events, 0.0),
        wrong_then=_wrong(events, threshold),
        missed=sum(there and not confidence for confidence, there in events),
    )


def _wrong(events: Sequence[tuple[float, bool]], threshold: float) -> int:
    return sum((confidence > 0 and confidence >= threshold) != there for confidence, there in events)
