"""Outlets: every target of events. Made once; sockets, targets, probes, gauges, pages and checks read this list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pylib.observability.health import Status
from pylib.runtime.stage import Stage
from pylib.runtime.threads import ManagedThread


@dataclass(frozen=True, slots=True)
class Outlet:
    """A target of events in the journal, and the stage that serves it."""

    name: str
    """The target's name in delivery rows, decisions and metrics; stable across restarts."""
    title: str
    """Its name for people."""
    relay_name: str
    """Its thread's name, and its label among the queues."""
    meter: str
    """Its label among the stages' metrics."""
    stage: Stage[Any]
    workers: int
    probe_name: str
    probe: Callable[[], Status]
    """Whether what waits for it is late."""
    keeps: bool = False
    """Whether it keeps pictures: an archive, which the other pictures of a group go to as well."""
    removes: bool = False
    """Whether it can delete what it keeps."""
    mirrors: bool = False
    """Whether it gets every event and whatever changes of it by itself: rules say nothing about it."""
    threads: Sequence[ManagedThread] = ()
    """The threads that it needs, which end after it."""
    url: Callable[[], str] = lambda: ""
    """A link for people to what it keeps; empty when there is none."""
    try_now: Callable[[], None] = lambda: None
    """Ends its pause and tries it at once; from any thread."""

    @property
    def address(self) -> str:
        """The socket from which its stage receives events."""
        return f"inproc://outlet-{self.name}"


def names(outlets: Sequence[Outlet]) -> list[str]:
    """The names of those of these outlets for which something is decided, as targets of deliveries."""
    return [outlet.name for outlet in outlets if not outlet.mirrors]


def keepers(outlets: Sequence[Outlet]) -> list[str]:
    """The names of those that keep pictures."""
    return [outlet.name for outlet in outlets if outlet.keeps]
