"""Detectors: what is in a picture. A new one is one file here and one row in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from app.messages import Detection
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


@dataclass(frozen=True, slots=True)
class DetectorContext:
    """What a detector gets beside its settings."""

    calls_this_month: Callable[[], int] = lambda: 0
    """Calls of this kind that were made this month (UTC) before this process began."""


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
        "hog": "app.detectors.hog:Hog",
    }
)
"""Loaded when configured; `none` is the absence of a detector. `auto` takes the first one that the environment or the
file asks for, else the first one that needs nothing."""
