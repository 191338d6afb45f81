"""From an upload's 226 to its event at a consumer: `python -m tests.bench.pushed`."""

from __future__ import annotations

import argparse
import contextlib
import ftplib
import io
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import locations
from tests.bench.report import Row, machine, ms, quantile, table
from tests.broker import Broker
from tests.e2e.peers import Consumer, House
from tests.e2e.process import ServiceProcess, until
from tests.e2e.pushing import LARGE, PASSWORD, UPLOADS, USER, folder, ftp_section, picture

CAMERAS = 20
GROUP = 5
"""Cameras that share a process, for twenty processes would be more work for the machine than what they do."""


@dataclass(frozen=True, slots=True)
class Load:
    """What cameras do during a measurement."""

    what: str
    cameras: int
    each: int
    """Pictures that each camera sends."""
    every: float
    """Mean seconds from one to the next; 0: as soon as the last one is answered."""


LOADS = (
    Load("one at a time", 1, 100, 0.1),
    Load("20 cameras, a picture a second each", CAMERAS, 10, 1.0),
    Load("20 cameras, as fast as they can", CAMERAS, 50, 0.0),
)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What was measured under a load."""

    load: Load
    took: list[float]
    """Seconds from the 226 to the event, for each picture; below 0 where the event was first."""
    rate: float
    """Events per second, from the start to the last event."""


def measure(home: Path, house: House, loads: Sequence[Load] = LOADS) -> Iterator[Arrivals]:
    """Run the service without a detector, put it under each load in turn, and take times."""
    section = ftp_section()
    config = {
        "cameras": [{"kind": "demo", "location": place} for place in locations(CAMERAS)],
        "ftp": section,
    }
    environment = {"RABBITMQ_SERVER_ADDRESS": house.url, "RABBITMQ_EXCHANGE": house.exchange}
    service = ServiceProcess(home / "pushed", environment=environment, config=config)
    try:
        service.start().wait_ready()
        with Consumer(house) as consumer:
            _run(section["port"], consumer, Load("warm", CAMERAS, 2, 0.0))
            for load in loads:
                yield _run(section["port"], consumer, load)
    finally:
        service.kill()


def rows(home: Path, house: House, loads: Sequence[Load] = LOADS) -> Iterator[Row]:
    """Rows of the table of measurements."""
    for found in measure(home, house, loads):
        size = f"{len(LARGE) / 1000:.0f} kB"
        p50, p95 = (ms(quantile(found.took, q)) for q in (0.5, 0.95))
        rate = "" if found.load.every else f", {found.rate:.0f} events/s"
        yield Row(f"FTP upload of {size} answered to event arrived, {found.load.what}", f"p50 {p50}, p95 {p95}{rate}")


def _run(port: int, consumer: Consumer, load: Load) -> Arrivals:
    """The cameras push, each in a session of its own; returns when every picture's event is there."""
    consumer.events.clear()
    tag = f"{random.getrandbits(64):016x}"
    numbers = range(load.cameras)
    groups = [numbers[at : at + GROUP] for at in numbers[::GROUP]]
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(_cameras(port, group, load, tag)) for group in groups]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        answered: dict[str, float] = {}
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            assert process.stdout is not None
            for line in process.stdout:
                name, _, at = line.rpartition("\t")
                answered[name] = float(at)
    expected = load.cameras * load.each
    until(lambda: len(consumer.events) >= expected, timeout=120, what=f"{expected} events")
    arrived = {_name(event.entry["image"]): event.at for event in consumer.latest}
    if arrived.keys() != answered.keys() or len(consumer.events) != expected:
        raise RuntimeError("not one event for each upload")
    took = [at - answered[name] for name, at in arrived.items()]
    return Arrivals(load, took, expected / (max(arrived.values()) - began))


def _name(image: bytes) -> str:
    """What stands in the comment at the beginning of a picture of `tests.e2e.pictures.stamped`."""
    return image[6 : 4 + int.from_bytes(image[4:6], "big")].decode()


@contextlib.contextmanager
def _cameras(port: int, group: Sequence[int], load: Load, tag: str) -> Iterator[subprocess.Popen[str]]:
    arguments = [str(port), tag, str(load.each), str(load.every), *map(str, group)]
    command = [sys.executable, "-m", "tests.bench.pushed", "cameras", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def _push(port: int, tag: str, each: int, every: float, numbers: Sequence[int]) -> None:
    """Be some cameras; afterwards print when (monotonic) which picture was answered."""
    logged_in = threading.Barrier(len(numbers) + 1)
    begin = threading.Event()
    lines: list[str] = []

    def camera(number: int) -> None:
        with ftplib.FTP() as ftp:
            ftp.connect("127.0.0.1", port, timeout=60, source_address=(f"127.0.1.{number + 1}", 0))
            ftp.login(USER, PASSWORD)
            ftp.cwd(f"/{UPLOADS}/{folder(locations(CAMERAS)[number])}")
            logged_in.wait()
            begin.wait()
            for one in range(each):
                # Out of step with the others, and with whatever is done regularly.
                time.sleep(random.uniform(0, 2 * every))
                name = f"{tag} {number} {one}"
                ftp.storbinary(f"STOR {tag}-{one}.jpg", io.BytesIO(picture(name, LARGE)), blocksize=65_536)
                lines.append(f"{name}\t{time.monotonic()}")

    threads = [threading.Thread(target=camera, args=(number,), daemon=True) for number in numbers]
    for thread in threads:
        thread.start()
    logged_in.wait(60)
    print("ready", flush=True)
    sys.stdin.read()
    begin.set()
    for thread in threads:
        thread.join()
    print("\n".join(lines), flush=True)


def main() -> None:
    """Measure and print a table, or be some of the cameras of a measurement."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pushed", description=__doc__)
    parser.add_argument("role", nargs="?", default="measure", choices=["measure", "cameras"])
    parser.add_argument("arguments", nargs="*")
    given = parser.parse_args()
    if given.role == "cameras":
        port, tag, each, every, *numbers = given.arguments
        _push(int(port), tag, int(each), float(every), [int(number) for number in numbers])
        return
    print(machine())
    with tempfile.TemporaryDirectory(prefix="pushed-bench-") as home, Broker() as broker:
        print(table(rows(Path(home), House(broker.url, "bench-pushed"))))


if __name__ == "__main__":
    main()
