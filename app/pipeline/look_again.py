"""Looking again at a picture of the record."""

from __future__ import annotations

from collections.abc import Mapping

from app.detectors import Looker
from app.journal import Journal
from app.journal.entries import Entry
from app.messages import Tier
from app.pipeline.detect import look_at
from pylib.errors import Permanent

CODES = {
    "no_detector": ("There is no such detector.", "choose one that is configured; see DETECTOR_KIND"),
    "no_picture": ("There is no picture to look at again.", "nothing: it has left the cache, or there never was one"),
}
"""Code -> what happened, and what to do about it."""


class LookAgain:
    """Has a detector look at a picture that was looked at before, and records what it sees now.

    What people have said of the picture stands, and nobody is told again.
    """

    def __init__(self, lookers: Mapping[str, Looker], usual: str, *, journal: Journal) -> None:
        """`lookers`: by name; `usual`: the one that looks at new pictures."""
        self._lookers = lookers
        self._usual = usual
        self._journal = journal

    @property
    def names(self) -> tuple[str, ...]:
        """Those that can be asked."""
        return tuple(self._lookers)

    def detector(self, name: str = "") -> Looker:
        """The detector of this name, or the usual one. Raises `Permanent`."""
        found = self._lookers.get(name or self._usual)
        if found is None:
            known = ", ".join(self._lookers) or "none"
            raise Permanent("no_detector", f"no detector {name or self._usual!r}; configured: {known}")
        return found

    def __call__(self, entry: Entry, *, detector: str = "", tier: Tier | None = None) -> Entry | None:
        """The entry as it is then; None where it was deleted meanwhile.

        Raises `app.detectors.DetectorError`, `Permanent` without a picture or such a detector, and
        `pylib.sqlite.DatabaseUnavailable`.
        """
        looker, snapshot = self.detector(detector), entry.inspection.snapshot
        if not snapshot.path:
            raise Permanent("no_picture", f"{entry.id} has no picture here")
        return self._journal.looked_again(look_at(snapshot, looker, tier))
