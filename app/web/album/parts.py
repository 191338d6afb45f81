"""What the status page says of cameras, detectors, outlets and sources: how each did last, and its last day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.journal import NOTHING_WAITS, HourCount, Journal
from app.monitoring.outcomes import CHECKS, Outcome, Outcomes
from app.web.album import status_texts as texts
from app.web.album.languages import tr
from app.web.album.texts import sentence, what_to_do, within
from app.web.album.view import Viewer
from pylib.observability.health import Check, State, need_people, worst

MOST_CAMERAS = 50
"""Cameras that are shown: those that failed first."""

SUBJECTS = ("detector", "publisher", "upload", "trigger")
"""Of what is shown under "Parts", in this order; cameras and archives have lists of their own."""


Sees = Callable[[str], bool]
"""Whether somebody may see this camera, by its device key."""

OUTLETS = ("publisher", "archive")
"""Of what has a check and a probe of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """One camera, detector, outlet or source."""

    title: str
    state: State
    word: str
    lines: tuple[str, ...]
    hours: tuple[str, ...]
    """For each of the last 24 hours, the newest last: `none`, `good`, `mixed` or `bad`."""
    day: str
    """The same in words."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How everything does, in a headline."""

    state: State
    title: str
    sentence: str


class Parts:
    """The parts of a service as its page shows them."""

    def __init__(self, outcomes: Outcomes, journal: Journal, view: Viewer) -> None:
        self._outcomes = outcomes
        self._journal = journal
        self._view = view

    def others(self, checks: Mapping[str, Check]) -> list[Part]:
        """All but cameras and archives; an outlet with what waits for it."""
        found = [one for one in self._outcomes.all() if one.subject in SUBJECTS]
        found.sort(key=lambda one: SUBJECTS.index(one.subject))
        return self._parts(found, checks)

    def archives(self, checks: Mapping[str, Check]) -> dict[str, Part]:
        """By name."""
        found = self._outcomes.all("archive")
        return dict(zip([one.name for one in found], self._parts(found, checks), strict=True))

    def cameras(self, sees: Sees, paused: Callable[[str], str]) -> tuple[list[Part], int]:
        """The first of them, those that failed before all others, and how many more there are.

        `paused`: that a camera is not asked for a while, in words; empty when it is.
        """
        order = ("failing", "degraded", "untried", "working")
        found = [one for one in self._outcomes.all("camera") if sees(one.name)]
        failed = [one for one in found if one.failures]
        shown = [*sorted(failed, key=lambda one: order.index(one.state)), *(one for one in found if not one.failures)]
        shown = shown[:MOST_CAMERAS]
        hours = self._hours(shown)
        taken = self._journal.last_taken([one.name for one in shown if one.state == "untried"])
        parts = [
            self._part(one, hours[one.subject, one.name], extra=paused(one.name), taken=taken.get(one.name))
            for one in shown
        ]
        return parts, len(found) - len(shown)

    def verdict(self, checks: Sequence[Check], sees: Sees) -> Verdict:
        """The headline; what needs attention is what health reports to monitors outside."""
        state = worst(check.state for check in checks)
        found: dict[str, list[Outcome]] = defaultdict(list)
        for one in self._outcomes.all():
            if one.subject != "camera" or sees(one.name):
                found[one.check].append(one)
        ill = _names(need_people(checks), "failing", found)
        degraded, untried = _names(checks, "degraded", found), _names(checks, "untried", found)
        return Verdict(state, tr(texts.VERDICTS[state]), texts.verdict(ill, degraded, untried, state))

    def _parts(self, found: Sequence[Outcome], checks: Mapping[str, Check]) -> list[Part]:
        hours = self._hours(found)
        return [self._part(one, hours[one.subject, one.name], check=checks.get(one.check)) for one in found]

    def _part(
        self,
        one: Outcome,
        hours: Sequence[HourCount],
        *,
        check: Check | None = None,
        extra: str = "",
        taken: float | None = None,
    ) -> Part:
        own_probe = check if one.subject in OUTLETS else None
        state = "failing" if own_probe and not own_probe.ok else one.state
        lines = [self._line(one) if taken is None else texts.only_older(self._when(taken))]
        if one.remedy:
            lines.append(what_to_do(one.remedy))
        if extra:
            lines.append(extra)
        waiting = own_probe.detail.partition("; failed")[0] if own_probe and state != "untried" else NOTHING_WAITS
        if waiting != NOTHING_WAITS:
            lines.append(sentence(tr(waiting)))
        url = self._view.camera_url(one.name) if one.subject == "camera" else ""
        counted = tuple(_hour(hour) for hour in hours)
        return Part(
            texts.part(one.subject, one.title),
            state,
            tr(texts.STATES[state]),
            tuple(lines),
            counted,
            texts.last_day(hours),
            url,
        )

    def _line(self, one: Outcome) -> str:
        return texts.outcome(
            one.subject,
            failures=one.failures,
            reason=one.reason,
            tried=self._when(one.tried_at),
            succeeded=self._when(one.succeeded_at),
            since=self._when(one.failing_since),
        )

    def _when(self, at: float | None) -> str:
        if at is None:
            return ""
        moment = self._view.moment(datetime.fromtimestamp(at, UTC))
        return f"{within(moment.day_text)}, {moment.short}"

    def _hours(self, found: Sequence[Outcome]) -> dict[tuple[str, str], tuple[HourCount, ...]]:
        return self._journal.outcome_hours([(one.subject, one.name) for one in found])


def _hour(count: HourCount) -> str:
    if not count.failed:
        return "good" if count.worked else "none"
    return "mixed" if count.worked else "bad"


def _names(checks: Iterable[Check], state: State, found: Mapping[str, Sequence[Outcome]]) -> list[texts.Named]:
    """What is in this state: each part of a check, or the check itself. `found`: parts by check."""
    names: list[texts.Named] = []
    for check in checks:
        parts = found.get(check.name)
        if parts and parts[0].subject not in OUTLETS:
            names += [(one.subject, one.title) for one in parts if one.state == state]
        elif check.state == state and check.name != CHECKS["camera"]:  # an outlet is late, or blocked, by its own probe
            names.append((parts[0].subject, parts[0].title) if parts else ("", check.name))
    return names
