"""A GIF of a burst, beside Pillow's default and beside gifsicle where there is one."""

from __future__ import annotations

import io
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from PIL import Image

from app.media.animation import Style, animate
from tests.bench.report import Row
from tests.bench.rows import Bench
from tests.bench.thumbnails import drawn

PICTURES, SIZE, ROUNDS = 10, (1920, 1080), 5
STYLE = Style(max_bytes=50_000_000)


def animated(bench: Bench) -> Iterator[Row]:
    """Ten pictures of 2 megapixels: seconds and bytes."""
    folder = bench.home / "gif"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.jpg" for number in range(PICTURES)]
    for path in paths:
        path.write_bytes(drawn(SIZE))
    ours, default = folder / "ours.gif", folder / "default.gif"
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: animate(paths, ours, "gif", STYLE),
        "default": lambda: default.write_bytes(_default(paths)),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(bench.some(ROUNDS)):
        for name, work in works.items():
            times[name].append(_seconds(work))
    mine, theirs = median(times["ours"]), median(times["default"])
    ratio = theirs / mine
    yield Row("GIF of 10 pictures, beside Pillow's default", f"{mine:.2f} s", f"{theirs:.2f} s", f"{ratio:.1f}")
    sizes = ours.stat().st_size, default.stat().st_size
    yield Row("its kilobytes", f"{sizes[0] / 1e3:.0f}", f"{sizes[1] / 1e3:.0f}", f"{sizes[0] / sizes[1]:.2f}")
    if gifsicle := shutil.which("gifsicle"):
        packed = folder / "packed.gif"
        command = [gifsicle, "-O3", "--colors", "255", str(default), "-o", str(packed)]
        seconds = theirs + _seconds(lambda: subprocess.run(command, check=True))
        yield Row(
            "GIF of 10 pictures, beside gifsicle -O3", f"{mine:.2f} s", f"{seconds:.2f} s", f"{seconds / mine:.1f}"
        )
        size = packed.stat().st_size
        yield Row("its kilobytes", f"{sizes[0] / 1e3:.0f}", f"{size / 1e3:.0f}", f"{sizes[0] / size:.2f}")


def _default(paths: list[Path]) -> bytes:
    frames = []
    for path in paths:
        with Image.open(path) as image:
            image.thumbnail((STYLE.size, STYLE.size))
            frames.append(image.convert("RGB"))
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=400, loop=0)
    return buffer.getvalue()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
