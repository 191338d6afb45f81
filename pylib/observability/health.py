"""Whether the process is alive and ready, by named probes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pylib.observability import redaction
from pylib.runtime.threads import ManagedThread

State = Literal["working", "untried", "degraded", "failing"]
"""From good to bad. `untried`: not seen to work, nor to fail; `degraded`: something failed, and needs nobody yet."""


@dataclass(frozen=True, slots=True)
class Status:
    """A probe's result; `detail` is one sentence for people, without credentials."""

    ok: bool
    detail: str = ""
    state: State = "working"
    """Of what is `ok`; what is not is failing."""


Probe = Callable[[], Status]
"""Returns at once, from memory or a system call; it runs in whatever thread asks for health."""


@dataclass(frozen=True, slots=True)
class Check:
    """A probe's result with its name and weight."""

    name: str
    ok: bool
    detail: str
    critical: bool
    """Whether the service fails with it."""
    live: bool
    """Whether it shows that the process works at all, so that a restart may help."""
    alarm: bool
    """Whether people should be alerted, as for everything critical; a probe that is neither is only shown."""
    state: State = "working"
    """`failing` exactly where it is not `ok`."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    probe: Probe
    critical: bool
    live: bool
    alarm: bool

    def ask(self) -> Check:
        try:
            status = self.probe()
            ok, detail, state = bool(status.ok), redaction.text(status.detail), status.state
        except Exception as error:  # noqa: BLE001 - health must answer above all when something is broken
            ok, detail, state = False, str(redaction.value(error))[:300], "failing"
        return Check(self.name, ok, detail, self.critical, self.live, self.alarm, state if ok else "failing")


class Health:
    """Collects probes. Live: every critical live probe is well. Ready: every critical probe is."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def add(self, name: str, probe: Probe, *, critical: bool = True, live: bool = False, alarm: bool = False) -> None:
        """Add a probe. `alarm`: people should be alerted, though no restart would help."""
        self._entries.append(_Entry(name, probe, critical, live, alarm or critical))

    def checks(self, *, live_only: bool = False) -> list[Check]:
        """Every probe's result now, in the order they were added; one that raises has failed."""
        return [entry.ask() for entry in list(self._entries) if entry.live or not live_only]

    def problem(self) -> str:
        """The problems that need people, in one line: `broker: not connected; disk: full`. Empty when all is well."""
        return "; ".join(f"{check.name}: {check.detail}" for check in need_people(self.checks()))

    def report(self, *, live_only: bool = False) -> dict[str, Any]:
        """`{"live": bool, "ready": bool, "state": worst of all, "checks": [{name, ok, detail, critical, live, alarm,
        state}]}`, ready for JSON.

        With `live_only` the other probes are not asked, and `ready` does not cover them.
        """
        checks = self.checks(live_only=live_only)
        return {
            "live": _well([check for check in checks if check.live]),
            "ready": _well(checks),
            "state": worst(check.state for check in checks),
            "checks": [asdict(check) for check in checks],
        }


def need_people(checks: Sequence[Check]) -> list[Check]:
    """Those whose failure people should know of."""
    return [check for check in checks if check.alarm and not check.ok]


def worst(states: Iterable[State]) -> State:
    """The worst of these states; `working` where there is none."""
    order = get_args(State)
    return max(states, key=order.index, default="working")


def progress(loop: ManagedThread) -> Probe:
    """A probe of one thread: does it run, and did it beat lately. To be added as live."""

    def probe() -> Status:
        if not loop.alive:
            return Status(ok=False, detail="not running")
        if loop.stuck:
            return Status(ok=False, detail=f"no progress for {loop.quiet_for:.0f} s")
        return Status(ok=True, detail=f"progressed {loop.quiet_for:.1f} s ago")

    return probe


def disk_free(folder: Path, *, at_least: int) -> Probe:
    """A probe of the disk that holds `folder`: are `at_least` bytes free."""

    def probe() -> Status:
        free = shutil.disk_usage(folder).free
        return Status(ok=free >= at_least, detail=f"{free / 1e9:.1f} GB free")

    return probe


def _well(checks: list[Check]) -> bool:
    return all(check.ok for check in checks if check.critical)
