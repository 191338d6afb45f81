"""Thumbnails beside bare Pillow, in one run: `python -m tests.bench.thumbnails`."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from PIL import Image

from app.media.picture import MAX_PIXELS
from app.messages import Snapshot
from app.storage.thumbnails import Thumbnails
from tests.bench.report import Row, machine, ms, table

SIZES = ((1920, 1080), (3840, 2160))
ROUNDS = 5
EACH = 20
"""Pictures of each size."""


def rows(folder: Path, *, rounds: int = ROUNDS) -> Iterator[Row]:
    """Thumbnails a second for each size of picture: made, and read again."""
    for size in SIZES:
        pictures = _pictures(folder, size)
        times = [_times(picture, folder / "thumbnails") for _ in range(rounds) for picture in pictures]
        bare, made, read = (median(column) for column in zip(*times, strict=True))
        ratio = median(ours / theirs for theirs, ours, _ in times)
        name = f"thumbnails of {size[0]} x {size[1]}"
        yield Row(
            f"{name}, made and kept", f"{1 / made:.0f}/s", f"{1 / bare:.0f}/s", f"{ratio:.2f}", "1.2", ratio <= 1.2
        )
        yield Row(f"{name}, read again", ms(read))


def _times(snapshot: Snapshot, root: Path) -> tuple[float, float, float]:
    """Seconds for one picture, close together: what else the machine does falls on all of them."""
    thumbnails = Thumbnails(root, max_pixels=MAX_PIXELS)
    bare = _seconds(lambda: _bare(snapshot))
    made = _seconds(lambda: thumbnails.read(snapshot, "thumbnail"))
    read = _seconds(lambda: thumbnails.read(snapshot, "thumbnail"))
    thumbnails.drop(snapshot.id)
    return bare, made, read


def _pictures(folder: Path, size: tuple[int, int]) -> list[Snapshot]:
    now = datetime.now(UTC)
    snapshots = []
    for number in range(EACH):
        path = folder / f"{size[0]}-{number}.jpg"
        path.write_bytes(drawn(size))
        event_id = f"{number:02x}{size[0]:030x}"
        snapshots.append(Snapshot(event_id, "Yard Camera", "Yard", now, now, 0.0, "http", str(path)))
    return snapshots


def drawn(size: tuple[int, int]) -> bytes:
    """A JPEG as busy as a camera's."""
    soft = Image.effect_noise((size[0] // 16, size[1] // 16), 90).resize(size, Image.Resampling.BICUBIC)
    grey = Image.blend(soft, Image.effect_noise(size, 4), 0.3)
    buffer = io.BytesIO()
    Image.merge("RGB", (grey, soft, grey)).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def _bare(snapshot: Snapshot) -> None:
    """What there is to reach: the same picture in the same quality by Pillow alone."""
    with Image.open(snapshot.path) as image:
        image.draft("RGB", (480, 480 * image.height // image.width))
        image.thumbnail((480, 960))
        image.save(io.BytesIO(), "JPEG", quality=82)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print a table."""
    facts = machine()
    with tempfile.TemporaryDirectory(prefix="snapshot-bench-") as folder:
        found = table(rows(Path(folder)))
    print(f"{facts}. {EACH} pictures of each size, {ROUNDS} times, in one thread.\n\n{found}")


if __name__ == "__main__":
    main()
