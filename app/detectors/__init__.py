"""Detectors: what is in a picture. A new one is one file here and one row in `KINDS`."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from app.messages import Detection
from pylib.errors import Failure, Permanent, Transient


class DetectorError(Failure):
    """A detector could not look at a picture."""


class DetectorUnavailable(DetectorError, Transient):
    """Throttled, unreachable or timed out, after the adapter's own bounded retries."""


class DetectorRejected(DetectorError, Permanent):
    """It will not look at this picture, or not for us: invalid, too large, access denied."""


class DetectorSettings(BaseModel):
    """What every detector has; each adapter's `Settings` extends it and fixes `kind`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    minimum_confidence: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Labels below this confidence are left out, and persons below it are not counted.",
    )


class Detector(Protocol):
    """Looks at pictures. Thread-safe: called by `concurrency` threads at once."""

    name: str
    """Its kind, as events carry it."""
    concurrency: int
    """How many calls at once make sense."""

    def detect(self, picture: bytes) -> Detection:
        """What is in this picture (an encoded image that has been decoded once already).

        Raises `DetectorUnavailable` or `DetectorRejected`, in bounded time.
        """
        ...

    def close(self) -> None:
        """Let go of connections and models."""
        ...


KINDS = {
    "rekognition": "app.detectors.rekognition:Rekognition",
    "hog": "app.detectors.hog:Hog",
}
"""Kind -> `module:class`, loaded when configured; `none` is the absence of a detector."""


def load(kind: str) -> Any:
    """The class behind a kind; its module is imported here and not before."""
    module, name = KINDS[kind].split(":")
    return getattr(import_module(module), name)
