"""Changes the code in small ways, one at a time, and says which of them no test notices: `python -m tests.mutants`."""

from __future__ import annotations

import argparse
import math
import queue
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import accumulate, islice
from pathlib import Path

from tests.mutants import sample
from tests.mutants.copies import Copy, Mutant, Verdict, recorded

LONGEST_S = 90.0
"""Related tests that take longer together are not run for a random change."""


class Copies:
    """Some copies of the tree, lent to whoever tries a mutant."""

    def __init__(self, folder: Path, count: int) -> None:
        self._free: queue.Queue[Copy] = queue.Queue()
        for number in range(count):
            self._free.put(Copy(folder / str(number)))
        self._passes = cache(lambda test: self.seconds(test) < math.inf)

    @contextmanager
    def one(self) -> Iterator[Copy]:
        """A copy of one's own; waits until one is free."""
        copy = self._free.get()
        try:
            yield copy
        finally:
            self._free.put(copy)

    def tried(self, mutants: Iterable[Mutant], workers: int) -> Iterator[tuple[Mutant, Verdict]]:
        """Each mutant with what its tests said, as they come to an end."""
        pool = ThreadPoolExecutor(workers)
        try:
            running = {pool.submit(self._verdict, mutant): mutant for mutant in mutants}
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C, or there would be no end

    def _verdict(self, mutant: Mutant) -> Verdict:
        if not all(map(self._passes, mutant.tests)):
            return Verdict.NOT_RUN  # what fails without the change says nothing about it
        with self.one() as copy:
            return copy.verdict(mutant)

    def seconds(self, test: str) -> float:
        """How long a file of tests takes without any change; endless where they do not even pass."""
        with self.one() as copy:
            began = time.monotonic()
            passes = copy.run((test,)) is Verdict.SURVIVED
            return time.monotonic() - began if passes else math.inf


def affordable(mutants: Iterable[Mutant], seconds: Callable[[str], float]) -> Iterator[Mutant]:
    """Each mutant with as many of its tests, from the first on, as are quick enough together; none without any."""
    for mutant in mutants:
        spent = accumulate(seconds(test) for test in mutant.tests)
        tests = tuple(test for test, so_far in zip(mutant.tests, spent, strict=False) if so_far < LONGEST_S)
        if tests:
            yield replace(mutant, tests=tests)


def main() -> int:
    """Try the recorded mutants, or random ones; 1 when one of the recorded is not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only recorded mutants with one of these words in area, file or name")
    parser.add_argument("-j", dest="workers", type=int, default=2, help="how many at a time (default 2)")
    parser.add_argument("--sample", type=int, metavar="COUNT", help="try so many random changes instead")
    parser.add_argument("--seed", type=int, default=1, help="which random changes")
    parser.add_argument(
        "--in", dest="under", default="", metavar="PATH", help="random changes of files below this path"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        copies = Copies(Path(folder), arguments.workers)
        if arguments.sample:
            changes = sample.mutants(arguments.under, arguments.seed)
            chosen = list(islice(affordable(changes, cache(copies.seconds)), arguments.sample))
        else:
            chosen = [mutant for mutant in recorded() if _meant(mutant, arguments.words)]
        verdicts = []
        for mutant, verdict in copies.tried(chosen, arguments.workers):
            verdicts.append(verdict)
            if not (arguments.sample and verdict.good):
                print(
                    f"{verdict.value:<20}{mutant.file}: {mutant.name}" if mutant.area else f"{mutant.name}\n",
                    flush=True,
                )
    noticed = sum(verdict.good for verdict in verdicts)
    print(f"noticed {noticed} of {len(verdicts)}")
    return 0 if arguments.sample or noticed == len(verdicts) else 1


def _meant(mutant: Mutant, words: list[str]) -> bool:
    said = f"{mutant.area} {mutant.file} {mutant.name}"
    return not words or any(word in said for word in words)


if __name__ == "__main__":
    sys.exit(main())
