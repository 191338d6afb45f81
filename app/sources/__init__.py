"""Trigger sources: who says that something happened. A new one is one file here and one row in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from pylib.runtime.relay import Transport
from pylib.runtime.stage import Source
from pylib.runtime.threads import ManagedThread
from pylib.settings.kinds import Registry


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source is told beside its settings."""

    name: str
    """What its triggers carry as `origin`: who is to be told that one is done."""
    app_name: str
    cameras: Mapping[str, str]
    """Device key -> label of every configured camera."""
    transport: Transport
    address: str
    """Where triggers go."""
    settled: Callable[[Collection[str]], None]
    """To be told of receipts whose triggers will never be delivered again."""
    count: Callable[[str, str], None]
    """Counts a trigger that is none, by origin and failure code."""

    def feeder(self, source: Source) -> ManagedThread:
        """A thread that polls a plain source and passes its triggers on."""
        return self.transport.feeder(self.name, source, sink=self.address)


class TriggerSource(Protocol):
    """Brings triggers from one place, and tells that place when one is done."""

    @property
    def thread(self) -> ManagedThread:
        """What brings the triggers; it ends after the last one was acknowledged."""
        ...

    def acknowledge(self, receipt: str) -> None:
        """The outcome of the trigger with this receipt is recorded: it need not come again. From any thread."""
        ...


class SourceKind(Protocol):
    """The class behind a kind."""

    Settings: type[BaseModel]
    title: ClassVar[str]
    """What people read behind "Triggered by"."""

    def __call__(self, settings: Any, context: SourceContext) -> TriggerSource:
        """A source of these `Settings`; connects to nothing yet."""
        ...


RABBITMQ = "rabbitmq"

KINDS: Registry[SourceKind] = Registry(
    {
        RABBITMQ: "app.sources.rabbitmq:RabbitMQ",
    }
)
"""Loaded when configured."""
