"""Fuzzes what reads strangers' bytes for as long as one likes: `make fuzz` and `python -m tests.hostile`."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.hostile.targets import TARGETS, Target
from tests.hostile.watch import resident

ROUND = 50
"""Examples between two looks at the clock."""
SLOW_S = 0.5
"""Processor time for one input beyond which it is a finding: the inputs have a megabyte at most."""
FOUND = Path(".hypothesis/hostile")
"""Where inputs that were found are kept."""


@dataclass
class Tally:
    """What became of one target."""

    tried: int = 0
    slowest: float = 0.0
    """Seconds of processor time."""
    findings: int = 0


def main() -> int:
    """Try the targets in turn; the exit status is 1 when there was a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TARGETS)}; all unless given")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true", help="let atheris, where it is installed, search one target")
    options = parser.parse_args()
    chosen = [target for target in TARGETS.values() if not options.names or target.name in options.names]
    if not chosen:
        parser.error("no such target")
    if options.atheris:
        if len(chosen) != 1:
            parser.error("atheris searches one target at a time: name it")
        _search(chosen[0], options.minutes)
    tallies = {target.name: Tally() for target in chosen}
    until = time.monotonic() + options.minutes * 60
    number = options.seed
    while time.monotonic() < until:
        for target in chosen:
            _round(target, tallies[target.name], number, until)
        number += 1
    for name, tally in tallies.items():
        print(f"{name}: {tally.tried} tried, slowest {tally.slowest * 1000:.0f} ms, {tally.findings} findings")
    print(f"resident memory {resident(os.getpid()):.0f} MB")
    return 1 if any(tally.findings for tally in tallies.values()) else 0


def _search(target: Target, minutes: float) -> NoReturn:
    """Search with atheris, which follows what the code does with each input; it ends the process itself."""
    import atheris

    corpus = FOUND / f"corpus-{target.name.replace(' ', '-')}"
    corpus.mkdir(parents=True, exist_ok=True)

    @settings(max_examples=ROUND, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(target.inputs)
    def seeded(data: bytes) -> None:
        (corpus / hashlib.sha256(data).hexdigest()).write_bytes(data)

    seeded()
    atheris.instrument_all()
    limits = [f"-max_total_time={minutes * 60:.0f}", "-max_len=1100000", "-timeout=10", f"-artifact_prefix={FOUND}/"]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], target.try_one)
    atheris.Fuzz()
    raise AssertionError


def _round(target: Target, tally: Tally, number: int, until: float) -> None:
    @seed(number)
    @settings(
        max_examples=ROUND,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs)
    def tried(data: bytes) -> None:
        if time.monotonic() > until:
            return
        began = time.thread_time()
        try:
            target.try_one(data)
        except Exception as error:
            _found(target, tally, data, repr(error)[:200])
        took = time.thread_time() - began
        tally.tried += 1
        tally.slowest = max(tally.slowest, took)
        if took > SLOW_S:
            _found(target, tally, data, f"{took:.1f} s of processor time")

    tried()


def _found(target: Target, tally: Tally, data: bytes, what: str) -> None:
    FOUND.mkdir(parents=True, exist_ok=True)
    path = FOUND / f"{target.name.replace(' ', '-')}-{tally.findings}"
    path.write_bytes(data)
    tally.findings += 1
    print(f"{target.name}: {what} ({len(data)} bytes, kept as {path})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
