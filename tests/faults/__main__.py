"""Tries faults, one after the other, and prints a table: `python -m tests.faults [--long] [NAME ...]`."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from tests.bench.report import machine, ms
from tests.broker import Broker
from tests.faults import brokers, inputs, kills, machines, outlets
from tests.faults.fault import Fault, Measured, Setting

FAULTS: dict[str, Fault] = {
    **brokers.FAULTS,
    **kills.FAULTS,
    **inputs.FAULTS,
    **outlets.FAULTS,
    **machines.FAULTS,
}


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    name: str
    fault: Fault
    measured: Measured | None
    """None where it could not be measured to its end."""
    reason: str = ""

    @property
    def holds(self) -> bool:
        return self.measured is not None and self.fault.holds(self.measured)

    def __str__(self) -> str:
        command = f"`make test-faults ARGS={self.name}`"
        if self.measured is None:
            return f"| {self.fault.title} | | | | | | | {self.fault.bound} | **failed**: {self.reason} | {command} |"
        seen, ledger = self.measured, self.measured.ledger
        back = "" if seen.back_s is None else f"{seen.back_s:.1f}"
        others = "" if seen.calm_s is None else f"{ms(seen.calm_s)}, {ms(seen.during_s or 0.0)}"
        title = f"{self.fault.title} ({seen.note})" if seen.note else self.fault.title
        counts = f"{ledger.events} | {ledger.lost} | {ledger.twice} | {ledger.paid_twice} | {back} | {others}"
        return f"| {title} | {counts} | {self.fault.bound} | {'holds' if self.holds else '**missed**'} | {command} |"


HEAD = (
    "| Fault | Events | Lost | Twice | Paid twice | Back after (s) | Others' p95 before, during | Bound | | Alone |\n"
    "|---|---:|---:|---:|---:|---:|---:|---|---|---|"
)


def table(lines: Iterable[Line]) -> str:
    """The lines in Markdown."""
    return "\n".join([HEAD, *map(str, lines)])


def tried(name: str, *, folder: Path, broker: Broker, long: bool, seed: int) -> Line:
    """Try one fault; what it prints goes to a file beside its folder."""
    fault = FAULTS[name]
    home = folder / name
    home.mkdir()
    with (folder / f"{name}.log").open("w") as log, redirect_stdout(log):
        try:
            return Line(name, fault, fault.run(Setting(home, broker, long, random.Random(seed))))
        except Exception as error:
            traceback.print_exc(file=log)
            return Line(name, fault, None, next(iter(str(error).splitlines()), type(error).__name__))
        finally:
            broker.start()


def main() -> int:
    """Try those that are asked for; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FAULTS)}; all unless given")
    parser.add_argument("--long", action="store_true", help="as long as in a house, instead of a minute each")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--out", type=Path, default=Path("build/faults"), help="folder of table.md and logs")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - FAULTS.keys():
        parser.error(f"there is no fault {', '.join(sorted(unknown))}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    facts = f"{machine()}. Seed {arguments.seed}, {'long' if arguments.long else 'short'} form."
    print(facts, flush=True)
    lines = []
    with tempfile.TemporaryDirectory(prefix="snapshot-faults-", ignore_cleanup_errors=True) as name, Broker() as broker:
        folder = Path(name)
        for chosen in arguments.names or FAULTS:
            began = time.monotonic()
            line = tried(chosen, folder=folder, broker=broker, long=arguments.long, seed=arguments.seed)
            lines.append(line)
            (arguments.out / f"{chosen}.log").write_bytes((folder / f"{chosen}.log").read_bytes())
            (arguments.out / "table.md").write_text(f"{facts}\n\n{table(lines)}\n")
            print(f"{line}\n{chosen}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"\n{table(lines)}")
    return int(not all(line.holds for line in lines))


if __name__ == "__main__":
    sys.exit(main())
