"""Hours of twice a busy home's load with a fault every few minutes: `python -m tests.faults.soak --hours 1`.

Four cameras have four events a minute each, a picture is uploaded every 15 s, and the album is read every 10 s.
Memory, descriptors, threads and the time to tell go to `soak.csv` and `soak.svg`. It fails when the ledger does not
balance, or when memory grows by more than 1 MB an hour beyond doubt.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, redirect_stdout
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tests.bench.processes import Process
from tests.bench.report import machine, quantile
from tests.broker import Broker
from tests.e2e.peers import Uploader, stream
from tests.faults import mishaps
from tests.faults.plot import Curve, plot
from tests.faults.stand import KEYS, PICTURE, Ledger, Stand, stand
from tests.faults.trend import Slope, medians, slope

MISHAPS: Mapping[str, mishaps.Mishap] = {
    "broker away": mishaps.broker_away,
    "cameras slow": mishaps.cameras_slow,
    "detector throttled": mishaps.detector_throttled,
    "broker frozen": mishaps.broker_frozen,
    "webhook refuses": mishaps.phone_refuses,
    "poison": mishaps.poison,
    "line cut": mishaps.line_cut,
    "detector away": mishaps.detector_away,
    "webhook silent": mishaps.phone_silent,
    "black hole": mishaps.black_hole,
    "memory alarm": mishaps.memory_alarm,
}
EACH_S, EVERY_S, SAMPLE_S = 25.0, 180.0, 10.0
"""Seconds that a fault lasts, from one to the next, and from one sample to the next."""
TRIGGER_S, UPLOAD_S = 3.75, 15.0
WARM_UP_EVENTS, WARM_UP_EACH_S, WARM_UP_TRIGGER_S = 1_000, 5.0, 0.2
"""Before the first hour begins: events at once; then seconds of each fault and after it, at nineteen times the load.
The first of each takes its threads and fills caches and buffers to their bounds, which is no growth."""
MOST_MB_AN_HOUR = 1.0
AS_IN_THE_IMAGE = {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment."""

    hours: float
    resident_mb: float
    descriptors: int
    threads: int
    events: int
    event_s: float
    """Seconds from a trigger to its event, the median of those that came since the last sample; 0 without any."""
    album_s: float
    """Seconds for a page of the album and one of the API; 0 where it did not answer."""
    fault: str


def soak(folder: Path, *, hours: float, out: Path) -> tuple[Ledger, list[Sample]]:
    """Run for so long; samples are written to `out` as they are taken."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker())
        tried = stack.enter_context(stand(folder, broker, environment=AS_IN_THE_IMAGE, forked=False))
        uploader = Uploader(tried.service, PICTURE)
        tried.senders.append(uploader)
        with stream([tried.sensor()], KEYS, every=TRIGGER_S), stream([uploader], KEYS, every=UPLOAD_S):
            _warm_up(tried)
            samples = list(_written(_samples(tried, hours), out / "soak.csv"))
        return tried.settle(), samples


def _warm_up(tried: Stand) -> None:
    tried.await_told(tried.trigger(WARM_UP_EVENTS))
    with stream([tried.sensor()], KEYS, every=WARM_UP_TRIGGER_S):
        for mishap in MISHAPS.values():
            with mishap(tried):
                time.sleep(WARM_UP_EACH_S)
            _album(tried)
            time.sleep(WARM_UP_EACH_S)
            _album(tried)


def _samples(tried: Stand, hours: float) -> Iterator[Sample]:
    began, seen = time.monotonic(), 0
    process = Process(tried.service.pid, tried.service.port)
    faults = _Faults(tried, began)
    while time.monotonic() < began + hours * 3600:
        time.sleep(SAMPLE_S)
        fault = faults.next()
        assert tried.service.running, "the service has ended"
        latest = tried.consumer.latest
        sent = {one.number: one.at for sender in tried.senders for one in list(sender.ledger)}
        took = [event.at - sent[event.number] for event in latest[seen:] if event.number in sent]
        seen = len(latest)
        yield Sample(
            hours=round((time.monotonic() - began) / 3600, 5),
            resident_mb=round(process.resident, 2),
            descriptors=process.descriptors,
            threads=process.threads,
            events=seen,
            event_s=round(quantile(took, 0.5), 4) if took else 0.0,
            album_s=round(_album(tried), 4),
            fault=fault,
        )
    faults.end()


class _Faults:
    """One after the other, each for a while, with pauses."""

    def __init__(self, tried: Stand, began: float) -> None:
        self._tried = tried
        self._names = itertools.cycle(MISHAPS)
        self._now, self._fault = ExitStack(), ""
        self._turn = began + EVERY_S
        """When the next fault begins, or this one ends."""

    def next(self) -> str:
        """Begin or end one where it is time; the name of the one that lasts, else nothing."""
        if time.monotonic() > self._turn:
            if self._fault:
                self._turn += EVERY_S - EACH_S
                self.end()
            else:
                self._turn += EACH_S
                self._fault = next(self._names)
                print(f"{time.strftime('%H:%M:%S')} {self._fault}", flush=True)
                self._now.enter_context(MISHAPS[self._fault](self._tried))
        return self._fault

    def end(self) -> None:
        """End the one that lasts."""
        self._now.close()
        self._fault = ""


def _album(tried: Stand) -> float:
    began = time.monotonic()
    ok = [tried.service.http("GET", path).ok for path in ("/", "/api/snapshots?limit=50")]
    return time.monotonic() - began if all(ok) else 0.0


def _written(samples: Iterator[Sample], path: Path) -> Iterator[Sample]:
    with path.open("w", newline="") as file:
        rows = csv.DictWriter(file, [one.name for one in fields(Sample)])
        rows.writeheader()
        for sample in samples:
            rows.writerow(asdict(sample))
            file.flush()
            yield sample


def slopes(samples: list[Sample]) -> Mapping[str, Slope]:
    """Each quantity's growth an hour, from the medians of a minute each."""
    curves = {
        "memory (MB)": [(one.hours, one.resident_mb) for one in samples],
        "descriptors": [(one.hours, float(one.descriptors)) for one in samples],
        "threads": [(one.hours, float(one.threads)) for one in samples],
        "trigger to event (s)": [(one.hours, one.event_s) for one in samples if one.event_s],
        "album (s)": [(one.hours, one.album_s) for one in samples if one.album_s],
    }
    hours = samples[-1].hours
    width = max(hours / 400, min(hours / 10, 1 / 60))
    return {name: slope(medians(points, width=width)) for name, points in curves.items()}


def drawn(samples: list[Sample]) -> str:
    """The samples as an SVG."""
    curves = [
        Curve("resident memory, MB", [(one.hours, one.resident_mb) for one in samples]),
        Curve("descriptors", [(one.hours, one.descriptors) for one in samples]),
        Curve("threads", [(one.hours, one.threads) for one in samples]),
        Curve("trigger to event, s (median of 10 s)", [(one.hours, one.event_s) for one in samples if one.event_s]),
        Curve(
            "a page of the album and one of the API, s", [(one.hours, one.album_s) for one in samples if one.album_s]
        ),
    ]
    faults = [one.hours for one in samples if one.fault]
    return plot(curves, title=f"A soak of {samples[-1].hours:.1f} h, a fault at each tick", faults=faults)


def main() -> int:
    """Run, print the slopes and the ledger; 1 when it fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path("build/soak"), help="folder of soak.csv and soak.svg")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}\n{arguments.hours:g} h, every {EVERY_S:g} s a fault of {EACH_S:g} s", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="snapshot-soak-") as folder,
        (arguments.out / "soak.log").open("w") as log,
        redirect_stdout(log),
    ):
        ledger, samples = soak(Path(folder), hours=arguments.hours, out=arguments.out)
    (arguments.out / "soak.svg").write_text(drawn(samples))
    found = slopes(samples)
    print("\n| | an hour, with 95 % confidence |\n|---|---|")
    print("\n".join(f"| {name} | {growth} |" for name, growth in found.items()))
    print(f"\n{ledger}")
    grows = found["memory (MB)"].exceeds(MOST_MB_AN_HOUR)
    if grows:
        print(f"memory grows by more than {MOST_MB_AN_HOUR:g} MB an hour")
    return int(grows or not ledger.balanced)


if __name__ == "__main__":
    sys.exit(main())
