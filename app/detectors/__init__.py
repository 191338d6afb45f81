"""Detectors: what is in a picture. A new one is one file here and one row in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from app.messages import Detection, Tier
from pylib.errors import Failure, Permanent, Transient
from pylib.settings.kinds import Registry


class DetectorError(Failure):
    """A detector could not inspect a picture."""


class DetectorUnavailable(DetectorError, Transient):
    """Throttled, unreachable or timed out, after the adapter's own bounded retries."""


class DetectorRejected(DetectorError, Permanent):
    """It will not inspect this picture, or not for us: invalid, too large, access denied."""


class DetectorSettings(BaseModel):
    """The settings of every detector; each adapter's `Settings` extends it and fixes `kind`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    minimum_confidence: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Labels below this confidence are left out, and persons below it are not counted.",
    )

    @property
    def question(self) -> str:
        """What, besides the picture, decides its answer: one that was paid for counts for the same question."""
        return f"{self.minimum_confidence:g}"


class PaidSettings(DetectorSettings):
    """The settings of every detector whose calls cost something."""

    monthly_cap: int = Field(
        default=0, ge=0, description="Calls in a calendar month (UTC), about 0.001 USD each; 0 for no limit."
    )
    monthly_budget_usd: float = Field(
        default=0, ge=0, description="US dollars in a calendar month (UTC), by the list price; 0 for no limit."
    )
    rate: float = Field(
        default=0,
        ge=0,
        le=1000,
        description="Calls a second on average, below what the account allows; 0 for no limit. A picture waits up to"
        " 5 s for its turn.",
    )


@dataclass(frozen=True, slots=True)
class Question:
    """For whom a picture is looked at, and by whom."""

    camera: str = ""
    """Device key."""
    tier: Tier | None = None
    """Which of two detectors are asked; None for what their settings say."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen, by whom, and what that cost."""

    detector: str
    """Name of the detector whose answer it is."""
    detection: Detection
    cost_usd: float = 0.0
    """0 for an answer that was paid for before."""
    note: str = ""
    """Why it is not the answer of the detector that was to decide; empty when it is."""


class Looker(Protocol):
    """A detector, or several of them, in service: bounded, counted, paid for. Thread-safe."""

    name: str
    cost_usd: float
    """The most that looking at a picture costs."""
    concurrency: int
    """How many calls at once make sense."""

    def look(self, picture: bytes, question: Question) -> Sight:
        """What is in this picture. Raises `DetectorError` in bounded time, and what the record of answers raises."""
        ...

    def describe(self) -> str:
        """What looks, in words for people. Raises `DetectorError` where it cannot look."""
        ...

    def close(self) -> None:
        """Release connections and models."""
        ...


def _alone(settings: DetectorSettings) -> Looker:
    from app.detectors.in_service import InService

    return InService(KINDS.load(settings.kind)(settings, DetectorContext()))


@dataclass(frozen=True, slots=True)
class DetectorContext:
    """What a detector gets beside its settings."""

    models: tuple[Path, ...] = ()
    """Folders of models; the first one counts where two have one of the same name."""
    looker: Callable[[DetectorSettings], Looker] = _alone
    """Makes another detector of its settings, for one that asks others."""


class Detector(Protocol):
    """Inspects pictures. Thread-safe: called by `concurrency` threads at once."""

    name: str
    """Its kind, as events carry it."""
    cost_usd: float
    """What one call costs."""
    concurrency: int
    """How many calls at once make sense."""

    def detect(self, picture: bytes) -> Detection:
        """What is in this picture (an encoded image that has been decoded once already).

        Raises `DetectorUnavailable` or `DetectorRejected`, in bounded time.
        """
        ...

    def close(self) -> None:
        """Release connections and models."""
        ...


class DetectorKind(Protocol):
    """The class behind a kind."""

    Settings: type[DetectorSettings]
    title: ClassVar[str]
    """Its name for people."""
    environment: ClassVar[tuple[str, ...]]
    """Setting one of these variables selects this detector, where `auto` has the choice."""

    def __call__(self, settings: Any, context: DetectorContext) -> Detector:
        """A detector of these `Settings`. Raises `DetectorRejected` where they make no sense."""
        ...


KINDS: Registry[DetectorKind] = Registry(
    {
        "rekognition": "app.detectors.rekognition:Rekognition",
        "onnx": "app.detectors.onnx:Onnx",
        "codeproject": "app.detectors.codeproject:CodeProject",
        "deepstack": "app.detectors.codeproject:CodeProject",
        "hog": "app.detectors.hog:Hog",
        "tiers": "app.detectors.tiers:Tiers",
    }
)
"""Loaded when configured; `none` is the absence of a detector. `auto` takes the first one that the environment or the
file asks for, else the first one that is ready, else the first one that needs nothing."""


def description(detector: Detector, usual: str) -> str:
    """What looks, in the words of the detector itself where it has some (a model's file). Raises as `detect` does."""
    describe = getattr(detector, "describe", None)
    return str(describe()) if describe else usual


def advice(kind: str) -> str:
    """How to see better than with this kind; empty where there is nothing to say."""
    return str(getattr(KINDS.load(kind), "advice", "")) if kind in KINDS else ""


def is_ready(kind: str, models: Sequence[Path]) -> bool:
    """Whether a kind has what it needs on this machine. Only those that need something there have a function of that
    name."""
    looks = getattr(KINDS.load(kind), "is_ready", None)
    return looks is not None and bool(looks(models))
