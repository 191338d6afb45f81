"""What detectors call things, in the words that rules, the album and events use for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.messages import PERSON, Box, Detection, Label
from app.rules.geometry import overlap

PERSONS = frozenset({"person", "human", "pedestrian"})
"""What detectors call people, in small letters. Rekognition's `Man`, `Woman`, `Child` and the like are none of these:
each comes beside the `Person` that it belongs to (its parent), and keeps its own name."""

SAME = 0.5
"""Overlap (intersection over union) from which on boxes of two names of one thing are one."""

_WORD_START = re.compile(r"(?:^|(?<=[\s-]))[a-z]")


def common_name(name: str) -> str:
    """`Person` for people, else the detector's own name, each word with a capital: `Traffic Light`."""
    return PERSON if name.casefold() in PERSONS else _WORD_START.sub(lambda found: found[0].upper(), name)


def detection_of(labels: Iterable[Label]) -> Detection:
    """A detector's labels as its answer: one label a name, and people counted once, whatever they are called.

    Of several labels for one name the surest gives the confidence; boxes of another that stand where one stands
    already are left out. A person without a box counts as one.
    """
    merged: dict[str, Label] = {}
    for label in labels:
        name = common_name(label.name)
        known = merged.get(name)
        merged[name] = Label(name, label.confidence, label.boxes) if known is None else _merged(known, label)
    person = merged.get(PERSON)
    return Detection(tuple(merged.values()), max(1, len(person.boxes)) if person else 0)


def _merged(known: Label, other: Label) -> Label:
    boxes = [*known.boxes, *(box for box in other.boxes if not _stands(box, known.boxes))]
    return Label(known.name, max(known.confidence, other.confidence), tuple(boxes))


def _stands(box: Box, among: Iterable[Box]) -> bool:
    return any(overlap(box, other) >= SAME for other in among)
