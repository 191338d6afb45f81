"""A detector whose calls cost something: within its month and its rate, and never twice for the same picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NoReturn, Protocol

import structlog

from app.detectors import (
    DetectorError,
    DetectorRejected,
    DetectorSettings,
    DetectorUnavailable,
    PaidSettings,
    Question,
    Sight,
)
from app.detectors.in_service import InService
from app.detectors.monthly_cap import MonthlyCap, utc_now
from app.detectors.rate import Rate
from app.messages import Detection
from pylib.runtime.key_locks import KeyedLock

log = structlog.get_logger(__name__)

WARN_AT = 0.8
"""Share of a month's calls at which the log says so, once."""
MAY_BE_CHARGED = ("timeout",)
"""Codes of failures after which nobody knows whether the call is charged."""

CODES = {
    "monthly_cap": (
        "This month's calls of the detector are used up.",
        "raise DETECTOR_MONTHLY_CAP or DETECTOR_MONTHLY_BUDGET_USD, or wait for the next month",
    ),
    "throttled": (
        "The detector had too much to do.",
        "raise DETECTOR_RATE if the account allows it, lower DETECTOR_CONCURRENCY, or have the quota raised",
    ),
}
"""Code -> what happened, and what to do about it."""


class Answers(Protocol):
    """The record of answers that were paid for."""

    def answer(self, content: bytes, *, detector: str, settings: str) -> Detection | None:
        """The answer for the picture of this SHA-256."""
        ...

    def keep_answer(
        self,
        content: bytes,
        answer: Detection | None,
        *,
        detector: str,
        settings: str,
        camera: str,
        cost_usd: float,
    ) -> None:
        """On the disk when it returns; None for a call that may have been charged, and brought no answer."""
        ...


class NothingKept:
    """A record that remembers nothing."""

    def answer(self, content: bytes, *, detector: str, settings: str) -> None:
        """There is none."""

    def keep_answer(self, content: bytes, answer: Detection | None, **about: object) -> None:
        """It is gone."""


class Paid:
    """One paid detector in service. An answer is kept before anything is done with it: a kill costs it nothing."""

    def __init__(
        self,
        detector: InService,
        settings: DetectorSettings,
        *,
        answers: Answers,
        calls_this_month: Callable[[], int] = lambda: 0,
        count: Callable[[str, str], None] = lambda _detector, _outcome: None,
        spent: Callable[[str, str, float], None] = lambda _detector, _camera, _usd: None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """`calls_this_month`: those before this process began, asked once; `count`: told of calls that are not made;
        `spent`: told what each call costs. Raises `DetectorRejected` where the budget does not pay for one call."""
        self.name = detector.name
        self.cost_usd = detector.cost_usd
        self.concurrency = detector.concurrency
        self._detector = detector
        self._question = settings.question
        self._answers = answers
        self._count = count
        self._spent = spent
        limits = settings if isinstance(settings, PaidSettings) else PaidSettings(kind=settings.kind)
        self._cap = MonthlyCap(
            calls_in(limits, detector.cost_usd), before=calls_this_month, now=now, nearly=(WARN_AT, self._warn)
        )
        self._rate = Rate(limits.rate)
        self._looking = KeyedLock()
        self._unkept: dict[bytes, Sight | DetectorError] = {}
        """By the picture's SHA-256: while the disk is full the answer, or that a call brought none, waits here until
        somebody asks again."""

    @property
    def monthly_calls(self) -> int:
        """Calls that a month may have; 0 for no limit."""
        return self._cap.calls

    def look(self, picture: bytes, question: Question) -> Sight:
        """What it says, or has said of this very picture. Raises `DetectorError`, or what `answers` raises.

        A call that may be charged and brought no answer is made once more, and counted twice: often only its
        connection was dead. An adapter repeats no such call by itself.
        """
        content = hashlib.sha256(picture).digest()
        with self._looking.take(content):  # the same picture twice at once is asked about once
            try:
                return self._look(content, picture, question)
            except DetectorError as failure:
                if failure.code not in MAY_BE_CHARGED:
                    raise
            sight = self._look(content, picture, question)
            return replace(sight, cost_usd=sight.cost_usd + self.cost_usd)

    def describe(self) -> str:
        """The detector in its own words."""
        return self._detector.describe()

    def close(self) -> None:
        """Release what the detector holds."""
        self._detector.close()

    def _look(self, content: bytes, picture: bytes, question: Question) -> Sight:
        known = self._answers.answer(content, detector=self.name, settings=self._question)
        if known is not None:
            return Sight(self.name, known)
        if content not in self._unkept:
            self._unkept[content] = self._ask(picture, question)
        outcome = self._unkept[content]
        self._keep(content, outcome.detection if isinstance(outcome, Sight) else None, question)
        del self._unkept[content]
        if isinstance(outcome, DetectorError):
            raise outcome
        return outcome

    def _ask(self, picture: bytes, question: Question) -> Sight | DetectorError:
        """What it says, or the failure of a call that may be charged; other failures are raised."""
        self._reserve()
        try:
            sight = self._detector.look(picture, question)
        except DetectorError as failure:
            if failure.code in MAY_BE_CHARGED:
                self._spent(self.name, question.camera, self._detector.cost_usd)
                return failure
            self._cap.give_back()
            raise
        self._spent(self.name, question.camera, sight.cost_usd)
        return sight

    def _keep(self, content: bytes, answer: Detection | None, question: Question) -> None:
        self._answers.keep_answer(
            content,
            answer,
            detector=self.name,
            settings=self._question,
            camera=question.camera,
            cost_usd=self._detector.cost_usd,
        )

    def _reserve(self) -> None:
        if not self._cap.take():
            self._refuse(
                DetectorRejected(
                    "monthly_cap",
                    f"All {self._cap.calls} calls of this month are used up: raise monthly_cap or monthly_budget_usd,"
                    " or wait for the first of the next (UTC).",
                )
            )
        if not self._rate.take():
            self._cap.give_back()
            self._refuse(DetectorUnavailable("throttled", f"{self.name} is asked more often than `rate` allows."))

    def _refuse(self, failure: DetectorError) -> NoReturn:
        self._count(self.name, str(failure))
        raise failure

    def _warn(self, used: int) -> None:
        log.warning("most of this month's calls are used", detector=self.name, used=used, cap=self._cap.calls)


def calls_in(settings: PaidSettings, cost_usd: float) -> int:
    """Calls that a month may have, by number and by budget; 0 for no limit. Raises `DetectorRejected`."""
    limits = [settings.monthly_cap] if settings.monthly_cap else []
    if settings.monthly_budget_usd:
        affordable = int(settings.monthly_budget_usd / cost_usd + 1e-9)  # 0.3 / 0.1 is less than 3
        if not affordable:
            raise DetectorRejected("monthly_cap", f"monthly_budget_usd pays for no call: one costs {cost_usd:g} USD.")
        limits.append(affordable)
    return min(limits, default=0)
