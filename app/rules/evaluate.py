"""Which outlets a rule book has told of an event, and why: a function of the event and of what went before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

from app.messages import Box, Burst, Inspection, Label, OutletDecision, Tier
from app.naming import slug
from app.rules.geometry import feet, inside
from app.rules.model import DAYS, Hours, Rule, RuleBook, Zone
from app.rules.telling import Snooze

EVERYTHING = Rule.model_construct(**{**dict(Rule(name="-")), "name": "", "labels": {}})
"""Of an outlet that no rule is about."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """The outlets of a service, as far as rules are concerned."""

    names: tuple[str, ...]
    """All, in their order."""
    notifying: frozenset[str] = frozenset()
    """Those that tell people; all others get every event."""
    digesting: frozenset[str] = frozenset()
    """Those that can tell of many events in one message."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The moment at which it is decided."""

    now: float
    """Unix seconds."""
    zone: tzinfo
    mode: str
    snooze: Snooze | None
    """What keeps this camera's messages back."""
    told_at: Callable[[str, str, str], float | None]
    """Rule, outlet, camera -> when that rule had it told of that camera last (Unix seconds)."""
    digest_at: Callable[[str], float]
    """Counts a message to this outlet, and says when the digest goes out that it is part of; 0 for at once."""


def evaluate(
    book: RuleBook, inspection: Inspection, outlets: Outlets, situation: Situation
) -> tuple[OutletDecision, ...]:
    """One decision for each outlet, in their order."""
    sights: dict[str, Sight] = {}
    return tuple(_Outlet(book, inspection, outlets, situation, sights, name).decision() for name in outlets.names)


def burst_of(book: RuleBook, camera: str, *, mode: str, moment: datetime) -> Burst | None:
    """The burst that the first rule wants of this camera which has one and holds, as far as nothing is seen yet.

    `moment`: now, in the home's zone.
    """
    rules = _before_anything_is_seen(book, camera, mode, moment)
    return next((rule.burst.wish() for rule in rules if rule.burst), None)


def tier_of(book: RuleBook, camera: str, *, mode: str, moment: datetime) -> Tier | None:
    """Which of two detectors look, by the first rule that says so and holds, as in `burst_of`."""
    rules = _before_anything_is_seen(book, camera, mode, moment)
    return next((rule.tier for rule in rules if rule.tier), None)


def _before_anything_is_seen(book: RuleBook, camera: str, mode: str, moment: datetime) -> Iterator[Rule]:
    """The rules that hold as far as that can be said then."""
    for rule in book.rules:
        if not (_not_its_camera(rule, camera) or _not_its_mode(rule, mode) or _not_its_time(rule, moment)):
            yield rule


def is_quiet(book: RuleBook, now: float, zone: tzinfo) -> bool:
    """Whether these are quiet hours (`now`: Unix seconds)."""
    hours = book.quiet_hours
    return bool(hours) and Hours.parse(hours).hold(datetime.fromtimestamp(now, zone))


@lru_cache(maxsize=1000)
def of_camera(name: str, camera: str) -> bool:
    """Whether a rule's or a zone's word for a camera, its location will do, means this device key."""
    return slug(name) in (slug(camera), slug(camera.rpartition(" ")[0] or camera))


@dataclass(frozen=True, slots=True)
class _Miss:
    """Why a rule does not have an outlet told."""

    reason: str
    reached: int
    """How far it was: the reason of the rule that came closest is the one to name."""


@dataclass(frozen=True, slots=True)
class _Outlet:
    book: RuleBook
    inspection: Inspection
    outlets: Outlets
    situation: Situation
    sights: dict[str, Sight]
    """What a rule sees is the same for all outlets: found once, by the rule's name."""
    name: str

    def decision(self) -> OutletDecision:
        if self.name not in self.outlets.notifying:
            return OutletDecision(self.name, tell=True, reason="gets every event")
        rules = [rule for rule in self.book.rules if self.name in rule.outlets or not rule.outlets]
        closest = _Miss("", -1)
        for rule in rules or [EVERYTHING]:
            miss = self._miss(rule)
            if miss is None:
                return self._told(rule)
            if miss.reached > closest.reached:
                closest = _Miss(_of(rule, miss.reason), miss.reached)
        return OutletDecision(self.name, tell=False, reason=closest.reason)

    def _told(self, rule: Rule) -> OutletDecision:
        reason = _of(rule, self._why(rule))
        later = 0.0
        if self.name in self.outlets.digesting and not rule.urgent:
            later = self.situation.digest_at(self.name)
        if later:
            reason += f"; one of many, in a digest at {_clock(later, self.situation.zone)}"
        return OutletDecision(self.name, tell=True, reason=reason, rule=rule.name, digest_at=later)

    def _why(self, rule: Rule) -> str:
        if not rule.name:
            return "no rule is about it" if self.book.rules else "there is no rule"
        if not _looks(rule):
            return "every event"
        if _nobody_looked(self.inspection):
            return "nobody looked at the picture, told to be safe"
        return self._seen(rule).text

    def _seen(self, rule: Rule) -> Sight:
        if rule.name not in self.sights:
            self.sights[rule.name] = seen(rule, self.inspection, self.book.zones)
        return self.sights[rule.name]

    def _miss(self, rule: Rule) -> _Miss | None:
        """What keeps the outlet from being told by this rule; None where nothing does."""
        for reached, check in enumerate(_CHECKS):
            reason = check(self, rule)
            if reason:
                return _Miss(reason, reached)
        return None

    # -- the checks, in the order in which they are made: each returns why not, or nothing ---------

    def camera(self, rule: Rule) -> str:
        return _not_its_camera(rule, self.inspection.camera)

    def mode(self, rule: Rule) -> str:
        return _not_its_mode(rule, self.situation.mode)

    def time(self, rule: Rule) -> str:
        return _not_its_time(rule, self.inspection.snapshot.taken_at.astimezone(self.situation.zone))

    def things(self, rule: Rule) -> str:
        if not _looks(rule):
            return ""
        if _nobody_looked(self.inspection):
            return "" if self.inspection.snapshot.path else "no picture"
        sight = self._seen(rule)
        return "" if sight.is_it else sight.text

    def snooze(self, rule: Rule) -> str:  # noqa: ARG002 - holds for every rule
        snooze = self.situation.snooze
        if snooze is None:
            return ""
        return (
            "notifications are off"
            if snooze.until is None
            else f"snoozed until {_clock(snooze.until, self.situation.zone)}"
        )

    def quiet(self, rule: Rule) -> str:
        quiet = not rule.urgent and is_quiet(self.book, self.situation.now, self.situation.zone)
        return "quiet hours" if quiet else ""

    def cooldown(self, rule: Rule) -> str:
        if not rule.cooldown:
            return ""
        told_at = self.situation.told_at(rule.name, self.name, self.inspection.camera)
        left = told_at + rule.cooldown - self.situation.now if told_at is not None else 0
        # One that was told in the future was told before the clock was set back.
        return f"cooldown, {_duration(left)} left" if 0 < left <= rule.cooldown else ""


_CHECKS = (
    _Outlet.camera,
    _Outlet.mode,
    _Outlet.time,
    _Outlet.things,
    _Outlet.snooze,
    _Outlet.quiet,
    _Outlet.cooldown,
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What comes closest to what a rule wants."""

    text: str
    """In words: `Person 87 %`, `zone porch: 41 % < 60 %`."""
    reached: int
    """How far it was, as in `_Miss`."""

    @property
    def is_it(self) -> bool:
        """Whether it is what the rule wants."""
        return self.reached == _IS_IT


_NOWHERE, _MASKED, _OUTSIDE, _STILL, _SMALL, _UNSURE, _IS_IT = range(7)


def seen(rule: Rule, inspection: Inspection, zones: Sequence[Zone]) -> Sight:
    """What in the picture is what the rule wants, or comes closest to it."""
    own = {zone.name.casefold(): zone for zone in zones if of_camera(zone.camera, inspection.camera)}
    wanted = {name.casefold(): least for name, least in rule.labels.items()}
    nothing = Sight(f"no {' or '.join(rule.labels)}" if rule.labels else "nothing", _NOWHERE)
    sights = (
        _sight(rule, label, box, wanted.get(label.name.casefold(), 0.0), own)
        for label in inspection.detection.labels
        if not wanted or label.name.casefold() in wanted
        for box in label.boxes or (None,)
    )
    return max(sights, key=lambda sight: sight.reached, default=nothing)


def _sight(rule: Rule, label: Label, box: Box | None, least: float, zones: Mapping[str, Zone]) -> Sight:
    where = label.name
    if box is not None:  # where a detector does not say where, it may be anywhere
        if any(zone.mask and inside(feet(box), zone.points) for zone in zones.values()):
            return Sight(f"{label.name} behind a mask", _MASKED)
        if rule.zones:
            there = next((name for name in rule.zones if _stands_in(box, zones.get(name.casefold()))), None)
            if there is None:
                return Sight(f"{label.name} outside {_zones(rule)}", _OUTSIDE)
            where = f"zone {there}"
        if box.still:
            return Sight(f"{label.name} stands still", _STILL)
        size = box.width * box.height
        if size < rule.min_size:
            return Sight(f"{where}: {_percent(size)} of the picture < {_least(rule.min_size)}", _SMALL)
    if label.confidence < least:
        return Sight(f"{where}: {_percent(label.confidence)} < {_least(least)}", _UNSURE)
    return Sight(f"{label.name} {_percent(label.confidence)}", _IS_IT)


def _stands_in(box: Box, zone: Zone | None) -> bool:
    return zone is not None and inside(feet(box), zone.points)


def _zones(rule: Rule) -> str:
    return f"zone{'s' if len(rule.zones) > 1 else ''} {' and '.join(rule.zones)}"


def _not_its_camera(rule: Rule, camera: str) -> str:
    return "" if not rule.cameras or any(of_camera(name, camera) for name in rule.cameras) else "another camera"


def _not_its_mode(rule: Rule, mode: str) -> str:
    return f"mode {mode}" if rule.modes and mode not in rule.modes else ""


def _not_its_time(rule: Rule, moment: datetime) -> str:
    if rule.days and DAYS[moment.weekday()] not in rule.days:
        return f"{DAYS[moment.weekday()]} is none of its days"
    return f"outside {rule.hours}" if rule.hours and not Hours.parse(rule.hours).hold(moment) else ""


def _looks(rule: Rule) -> bool:
    """Whether it asks for something in the picture."""
    return bool(rule.labels or rule.zones or rule.min_size)


def _nobody_looked(inspection: Inspection) -> bool:
    return not inspection.detector or bool(inspection.problem)


def _of(rule: Rule, reason: str) -> str:
    return f"{rule.name}: {reason}" if rule.name else reason


def _percent(share: float) -> str:
    """Rounded down, so that what is less than a limit looks so: `41 %`, `0.4 %`."""
    value = share * 100
    return f"{math.floor(value)} %" if value >= 10 else f"{math.floor(value * 10) / 10:g} %"


def _least(share: float) -> str:
    return f"{share * 100:g} %"


def _duration(seconds: float) -> str:
    return f"{math.ceil(seconds / 60)} min" if seconds > 60 else f"{math.ceil(seconds)} s"


def _clock(moment: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment, zone).strftime("%H:%M")
