"""Two detectors, of which the second looks only where that is worth it: a paid one to confirm what a free one saw, or a
free one where a paid one fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Annotated, Literal, Self

import structlog
from pydantic import Field, model_validator

from app.detectors import (
    KINDS,
    DetectorContext,
    DetectorError,
    DetectorRejected,
    DetectorSettings,
    Looker,
    Question,
    Sight,
)
from app.messages import PERSON, Detection, Tier
from pylib.settings.kinds import KindField

log = structlog.get_logger(__name__)

SecondWhen = Literal["person", "unsure", "failed", "always", "never"]

_KINDS = tuple(kind for kind in KINDS if kind != "tiers")
FIRST = KindField(_KINDS, lambda kind: KINDS.load(kind).Settings, default="hog")
SECOND = KindField(_KINDS, lambda kind: KINDS.load(kind).Settings, default="rekognition")

_BY_RULE: Mapping[Tier | None, frozenset[str]] = {
    "first": frozenset({"never"}),
    "second": frozenset({"never"}),
    "both": frozenset({"always"}),
}
"""What a rule's word makes of `second_when`."""

CODES = {
    "one_detector": (
        "Both detectors that `tiers` asks are the same.",
        "choose another kind for `first` or `second`",
    ),
}
"""Code -> what happened, and what to do about it."""


class TiersSettings(DetectorSettings):
    """Two detectors; `minimum_confidence` holds for either that has none of its own."""

    kind: Literal["tiers"] = "tiers"
    first: Annotated[DetectorSettings, FIRST] = Field(
        default_factory=lambda: KINDS.load("hog").Settings.model_validate({}),
        description="The detector that looks at every picture; the one on this machine that `auto` would take.",
    )
    second: Annotated[DetectorSettings, SECOND] = Field(
        default_factory=lambda: KINDS.load("rekognition").Settings.model_validate({}),
        description="The detector that looks where `second_when` says so; Rekognition.",
    )
    second_when: tuple[SecondWhen, ...] = Field(
        default=("person", "failed"),
        description="When the second looks: the first saw a `person`; was `unsure` of one; has `failed`; `always`;"
        " `never`.",
    )
    unsure_below: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="The first is unsure where its surest person has less confidence than that.",
    )
    at_cap: Literal["local", "problem"] = Field(
        default="local",
        description="Once a month's calls are used up: the other detector decides (`local`), or nobody, and the event"
        " says so (`problem`).",
    )

    @model_validator(mode="after")
    def _never_alone(self) -> Self:
        if "never" in self.second_when and len(self.second_when) > 1:
            raise ValueError("second_when cannot be `never` together with anything else")
        return self

    @property
    def question(self) -> str:
        """Each of the two is asked its own."""
        return f"{self.first.question} {self.second.question}"


class Tiers:
    """Two detectors as one.

    The answer of the second replaces that of the first wherever it was asked and answered; where it fails, the first's
    stands, with a note that says so.
    """

    name = "tiers"
    title = "two detectors"
    environment = ()
    Settings = TiersSettings

    def __init__(
        self,
        settings: TiersSettings,
        context: DetectorContext = DetectorContext(),  # noqa: B008 - frozen
        *,
        first: Looker | None = None,
        second: Looker | None = None,
    ) -> None:
        """`first`, `second`: instead of those that the settings name. Raises `DetectorRejected` where both are one."""
        self._settings = settings
        self._first = first or context.looker(settings.first)
        self._second = second or context.looker(settings.second)
        if self._first.name == self._second.name:
            raise DetectorRejected("one_detector", f"first and second are both {self._first.name}: choose two kinds.")
        self.concurrency = max(self._first.concurrency, self._second.concurrency)
        self.cost_usd = self._first.cost_usd + self._second.cost_usd

    def detect(self, picture: bytes) -> Detection:
        """What is in this picture, as the settings have it looked at."""
        return self.look(picture, Question()).detection

    def look(self, picture: bytes, question: Question) -> Sight:
        """What is in this picture. Raises `DetectorError` where none of those that may decide has answered."""
        when = _BY_RULE.get(question.tier, frozenset(self._settings.second_when))
        second_leads = question.tier == "second"
        leader, other = (self._second, self._first) if second_leads else (self._first, self._second)
        try:
            seen = leader.look(picture, question)
        except DetectorError as failure:
            if not self._stands_in(failure, when):
                raise
            log.warning("another detector decides", failed=leader.name, reason=str(failure))
            return dataclasses.replace(other.look(picture, question), note=_note(leader, failure))
        if asks_second(when, seen.detection, unsure_below=self._settings.unsure_below):
            return self._confirmed(seen, picture, question)
        return seen

    def describe(self) -> str:
        """Both, in the order in which they look."""
        return f"{self._first.describe()}; then {self._second.describe()}"

    def close(self) -> None:
        """Release both."""
        self._first.close()
        self._second.close()

    def _stands_in(self, failure: DetectorError, when: Collection[str]) -> bool:
        """Whether the other one decides in place of the one that has failed."""
        if failure.code == "monthly_cap":
            return self._settings.at_cap == "local"
        return "failed" in when or "always" in when

    def _confirmed(self, first: Sight, picture: bytes, question: Question) -> Sight:
        try:
            second = self._second.look(picture, question)
        except DetectorError as failure:
            if failure.code == "monthly_cap" and self._settings.at_cap == "problem":
                raise
            log.warning("another detector decides", failed=self._second.name, reason=str(failure))
            return dataclasses.replace(first, note=_note(self._second, failure))
        return dataclasses.replace(second, cost_usd=first.cost_usd + second.cost_usd)


def asks_second(when: Collection[str], seen: Detection, *, unsure_below: float) -> bool:
    """Whether the second detector looks at a picture in which the first has seen this."""
    if "always" in when:
        return True
    surest = max((label.confidence for label in seen.labels if label.name == PERSON), default=0.0)
    unsure = "unsure" in when and surest < unsure_below
    return bool(seen.person_count) and ("person" in when or unsure)


def _note(looker: Looker, failure: DetectorError) -> str:
    return f"{looker.name}: {failure.detail}"
