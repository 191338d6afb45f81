"""Measures the service beside what its parts need alone, and prints a table: `python -m tests.bench`."""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from tests.bench.processes import simulator
from tests.bench.report import Row, machine, table
from tests.bench.rows import ROWS, Bench
from tests.broker import Broker

SIZE = (1280, 720)


def main() -> None:
    """Run the measurements that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=ROWS, action="append", help="this measurement; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: under a minute, and coarser")
    arguments = parser.parse_args()
    began = time.monotonic()
    facts = machine()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="snapshot-bench-") as folder, Broker() as broker:
        picture = Path(folder) / "camera.jpg"
        picture.write_bytes(draw())
        with simulator("camera", "--picture", str(picture)) as cameras:
            bench = Bench(Path(folder), broker.port, cameras, arguments.quick)
            for name in arguments.only or ROWS:
                print(f"{name} ...", file=sys.stderr, flush=True)
                rows += ROWS[name](bench)
        size = picture.stat().st_size
    print(f"{facts}. Picture: JPEG, {SIZE[0]} x {SIZE[1]}, {size / 1000:.0f} kB.")
    print(f"\n{table(rows)}\n\nTaken in {time.monotonic() - began:.0f} s.")


def draw() -> bytes:
    """A JPEG as busy as a camera's: soft shapes under a little noise."""
    shapes = Image.effect_noise((SIZE[0] // 16, SIZE[1] // 16), 90).resize(SIZE, Image.Resampling.BICUBIC)
    noise = Image.effect_noise(SIZE, 4)
    grey = Image.blend(shapes, noise, 0.3)
    picture = io.BytesIO()
    Image.merge("RGB", (grey, shapes, grey)).save(picture, "JPEG", quality=60)
    return picture.getvalue()


if __name__ == "__main__":
    main()
