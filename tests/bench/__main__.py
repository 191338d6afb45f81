"""Measures the service beside what its parts need alone, and prints a table: `python -m tests.bench`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.bench import (
    album,
    appending,
    archiving,
    film,
    ftp,
    gif,
    hostile,
    onnx,
    pushed,
    telling,
    thumbnails_out,
)
from tests.bench.picture import SIZE, draw
from tests.bench.processes import simulator
from tests.bench.report import Row, machine, table
from tests.bench.rows import ROWS, Bench
from tests.broker import Broker
from tests.e2e.peers import House


def uploads(bench: Bench) -> Iterator[Row]:
    """The FTP server alone, beside bare pyftpdlib."""
    home = bench.home / "ftp"
    home.mkdir()
    yield ftp.row(ftp.measure(home, each=bench.some(100)))


def arrivals(bench: Bench) -> Iterator[Row]:
    """What cameras push, from the answer to the event."""
    loads = [replace(load, each=bench.some(load.each)) for load in pushed.LOADS]
    house = House(f"amqp://guest:guest@127.0.0.1:{bench.broker}/%2F", "bench-pushed")
    yield from pushed.rows(bench.home, house, loads)


MEASUREMENTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    **ROWS,
    "ftp": uploads,
    "pushed": arrivals,
    "archive": archiving.backlog,
    "organiser": archiving.organiser,
    "faulty-archive": archiving.faulty,
    **album.ROWS,
    **appending.ROWS,
    "thumbnails-out": thumbnails_out.stored,
    "gif": gif.animated,
    "film": film.film,
    "onnx": onnx.looked_at,
    "telling": telling.telling,
    "hostile": hostile.attacked,
}


def main() -> None:
    """Run the measurements that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="this measurement; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: sooner done, and coarser")
    arguments = parser.parse_args()
    began = time.monotonic()
    facts = machine()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="snapshot-bench-") as folder, Broker() as broker:
        picture = Path(folder) / "camera.jpg"
        picture.write_bytes(draw())
        with simulator("camera", "--picture", str(picture)) as cameras:
            bench = Bench(Path(folder), broker.port, cameras, arguments.quick)
            for name in arguments.only or MEASUREMENTS:
                print(f"{name} ...", file=sys.stderr, flush=True)
                rows += MEASUREMENTS[name](bench)
        size = picture.stat().st_size
    print(f"{facts}. Picture: JPEG, {SIZE[0]} x {SIZE[1]}, {size / 1000:.0f} kB.")
    print(f"\n{table(rows)}\n\nTaken in {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
