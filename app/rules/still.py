"""What stands still: things whose boxes stay in one place of a camera's picture for a while."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from app.messages import Box, Detection, Inspection, Label
from app.rules.geometry import overlap
from app.rules.model import Still

SIGHTINGS = 3
"""How often it has to be seen: who comes to the same door twice does not stand there."""
MISSES = 2
"""Pictures in a row in which a detector may miss it."""
MOST = 100
"""Things that are remembered of a camera."""


@dataclass(slots=True)
class _Thing:
    label: str
    box: Box
    first: float
    sightings: int = 0
    misses: int = 0


class StillThings:
    """The things of one camera. Not thread-safe: a camera's pictures come one after the other."""

    def __init__(self, settings: Still, earlier: Iterable[Inspection] = ()) -> None:
        """`earlier`: the camera's last inspections, oldest first."""
        self.settings = settings
        self._things: list[_Thing] = []
        for inspection in earlier:
            self.marked(inspection)

    def marked(self, inspection: Inspection) -> Inspection:
        """The same with `still` set on what stands still; remembers where things are now."""
        if not inspection.detector or inspection.problem or not self.settings.after:
            return inspection  # nobody looked: all may still be there
        now = inspection.snapshot.taken_at.timestamp()
        before, self._things = self._things, []
        labels = tuple(self._label(label, before, now) for label in inspection.detection.labels)
        for thing in before:
            thing.misses += 1
        self._things = (self._things + [thing for thing in before if thing.misses <= MISSES])[:MOST]
        return dataclasses.replace(inspection, detection=Detection(labels, inspection.detection.person_count))

    def _label(self, label: Label, before: list[_Thing], now: float) -> Label:
        boxes = tuple(self._box(label.name, box, before, now) for box in label.boxes)
        return dataclasses.replace(label, boxes=boxes)

    def _box(self, label: str, box: Box, before: list[_Thing], now: float) -> Box:
        same = max(
            (thing for thing in before if thing.label == label),
            key=lambda thing: overlap(thing.box, box),
            default=None,
        )
        if same is None or overlap(same.box, box) < self.settings.overlap:
            thing = _Thing(label, box, now)
        else:
            before.remove(same)
            thing = same
        thing.box, thing.misses, thing.sightings = box, 0, thing.sightings + 1
        self._things.append(thing)
        still = thing.sightings >= SIGHTINGS and now - thing.first >= self.settings.after
        return dataclasses.replace(box, still=True) if still else box
