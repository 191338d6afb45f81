"""The collect stage: turns an object in a bucket into a recorded snapshot, or its reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.messages import ObjectCreated
from pylib.errors import Permanent, Transient


class ObjectRejected(Permanent):
    """No picture will ever come of this object."""


class ObjectUnavailable(Transient):
    """The object cannot be read now."""


@dataclass(frozen=True, slots=True)
class ObjectContent:
    """An object as it was read."""

    data: bytes
    metadata: Mapping[str, str]
    """Of its writer, names in small letters."""


class ObjectReader(Protocol):
    """The source of an object: reads it, and hears what became of it. Every method may be called from any thread."""

    def read(self, found: ObjectCreated) -> ObjectContent:
        """What is in it, within bounded time and memory.

        Raises `ObjectRejected` (`object_gone`, `object_changed`, `too_large`) or `ObjectUnavailable`.
        """
        ...

    def acknowledge(self, receipt: str) -> None:
        """Its outcome is recorded: it need not be delivered again."""
        ...

    def retry(self, receipt: str, *, after: float) -> None:
        """Deliver it once more in so many seconds: it could not be read now."""
        ...
