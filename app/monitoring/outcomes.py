"""Outcomes: how everything that does something for people did last. What tells people how the service is reads them
here and nowhere else, so that no two can disagree."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from app.journal.records import OutcomeRecord
from app.wording import explain
from pylib.observability.health import State

Subject = Literal["detector", "camera", "publisher", "archive", "upload", "trigger"]
"""What did something, as `app.wording` has it; of uploads there is one, of triggers one for each source."""

OK = frozenset({"ok", "accepted", "duplicate", "video"})
"""Outcomes that are successes; every other one is a failure, `code` or `code: sentence`."""

NOT_ASKED: Mapping[Subject, Collection[str]] = {
    "camera": ("circuit_open", "overloaded", "stale", "unknown_camera"),
    "detector": ("detector_away",),
    "archive": ("picture_gone", "picture_unreadable"),
}
"""Codes of failures that say nothing about whom they are counted for: it was not asked."""

CHECKS: Mapping[Subject, str] = {
    "detector": "detector",
    "camera": "cameras",
    "upload": "uploads received",
    "trigger": "triggers",
}
"""The check of all of a subject together; each outlet has one of its own."""

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one camera, detector, outlet or source of triggers does. All times are Unix seconds."""

    subject: Subject
    name: str
    """As events and metrics have it."""
    title: str
    """What people call it."""
    kind: str = ""
    """Of its adapter; empty when it has none."""
    tolerance: int = 1
    """Failures in a row from which on it is failing; 0 for one that is tried again by itself until it works."""
    optional: bool = False
    """Whether nobody may ever use it: untried, it is not among `all`."""
    tried_at: float | None = None
    succeeded_at: float | None = None
    failures: int = 0
    """In a row, up to now."""
    failing_since: float | None = None
    problem: str = ""
    """`code: sentence` of the last failure; empty after a success."""

    @property
    def state(self) -> State:
        """`degraded`: the last try failed, which needs nobody yet."""
        if self.tried_at is None:
            return "untried"
        if not self.failures:
            return "working"
        return "failing" if 0 < self.tolerance <= self.failures else "degraded"

    @property
    def check(self) -> str:
        """The name of the check of health that it is part of."""
        if self.subject == "archive":
            return f"archived to {self.name}"
        if self.subject == "publisher":
            return "undelivered" if self.name == "rabbitmq" else f"delivered to {self.name}"
        return CHECKS[self.subject]

    @property
    def reason(self) -> str:
        """Why the last try failed, as a sentence."""
        return self.problem.partition(": ")[2] or self._meaning[0]

    @property
    def remedy(self) -> str:
        """What a person should do about it; empty when nobody knows, or nothing failed."""
        return self._meaning[1]

    @property
    def _meaning(self) -> tuple[str, str]:
        code = self.problem.partition(":")[0]
        return explain(code, of=self.subject, kind=self.kind) if code else ("", "")

    def after(self, outcome: str, at: float) -> Outcome:
        """How it does after this outcome: one of `OK`, or a failure's `code: sentence`."""
        if outcome in OK:
            return replace(self, tried_at=at, succeeded_at=at, failures=0, failing_since=None, problem="")
        since = self.failing_since if self.failures else at
        return replace(self, tried_at=at, failures=self.failures + 1, failing_since=since, problem=outcome)


class OutcomeStore(Protocol):
    """What remembers outcomes over a restart: the journal. No method waits."""

    def hand_over_outcomes(self, take: Callable[[list[OutcomeRecord]], None]) -> None:
        """Call `take` with all that are remembered, before anything is kept."""
        ...

    def keep_outcome(self, outcome: OutcomeRecord) -> None:
        """Remember the latest of its subject and name, and count it in its hour."""
        ...

    def drop_outcome_hours(self) -> None:
        """Forget the counts of hours that are over for longer than a day."""
        ...


class Outcomes:
    """The outcomes of everything that is expected to do something. Thread-safe; nothing waits."""

    def __init__(self, store: OutcomeStore, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        self._all: dict[tuple[str, str], Outcome] = {}
        self._lock = threading.Lock()
        self._hour = 0.0

    def expect(
        self, subject: Subject, name: str, *, title: str, kind: str = "", tolerance: int = 1, optional: bool = False
    ) -> None:
        """It is not tried yet, unless it is remembered; outcomes of what is not expected are passed over."""
        with self._lock:
            self._all[subject, name] = Outcome(subject, name, title, kind, tolerance, optional)

    def open(self) -> None:
        """Remember what was before a restart, as soon as the store can say."""
        self._store.hand_over_outcomes(self._remember)

    def report(self, subject: Subject, name: str, outcome: str) -> None:
        """Something was tried: one of `OK`, or the failure's `code`, or `code: sentence`."""
        if outcome.partition(":")[0] in NOT_ASKED.get(subject, ()):
            return
        with self._lock:
            known = self._all.get((subject, name))
            if known is None:
                return
            now = self._now()
            new = self._all[subject, name] = known.after(outcome, now)
            self._store.keep_outcome(
                OutcomeRecord(subject, name, now, new.succeeded_at, new.failures, new.failing_since, new.problem)
            )
            if now // HOUR_S != self._hour:
                self._hour = now // HOUR_S
                self._store.drop_outcome_hours()

    def of(self, subject: Subject, name: str) -> Outcome | None:
        """How this one does; None for one that is not expected."""
        return self._all.get((subject, name))

    @property
    def expected(self) -> list[Outcome]:
        """All, with those that nobody may ever use."""
        with self._lock:
            return list(self._all.values())

    def all(self, subject: Subject | None = None) -> list[Outcome]:
        """Of this subject, or of all, as they were expected; without those that are optional and untried."""
        found = [one for one in self.expected if subject is None or one.subject == subject]
        return [one for one in found if not (one.optional and one.state == "untried")]

    def _remember(self, records: Iterable[OutcomeRecord]) -> None:
        with self._lock:
            for subject, name, tried_at, succeeded_at, failures, since, problem in records:
                known = self._all.get((subject, name))
                if known is not None:
                    self._all[known.subject, name] = replace(
                        known,
                        tried_at=tried_at,
                        succeeded_at=succeeded_at,
                        failures=failures,
                        failing_since=since,
                        problem=problem,
                    )
