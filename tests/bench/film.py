"""Films beside bare PyAV on the same pictures: `python -m tests.bench --only film`."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
from PIL import Image

from app.media.film import FilmSettings, FilmWriter, opened
from app.media.picture import MAX_PIXELS
from tests.bench.report import Row
from tests.bench.rows import Bench
from tests.bench.thumbnails import drawn

SIZE = (1280, 720)
FPS = 12
EACH = 60
ROUNDS = 5
AIM = 0.9


def film(bench: Bench) -> Iterator[Row]:
    """Frames a second, from JPEGs to a film on the disk."""
    pictures, count = [drawn(SIZE) for _ in range(10)], bench.some(EACH)
    times = [_times(bench.home, pictures * (count // 10)) for _ in range(bench.some(ROUNDS))]
    ours, theirs = (count // 10 * 10 / median(column) for column in zip(*times, strict=True))
    ratio = median(bare / own for own, bare in times)
    name = f"film of {SIZE[0]} x {SIZE[1]}, frames"
    yield Row(name, f"{ours:.0f}/s", f"{theirs:.0f}/s", f"{ratio:.2f}", f"{AIM}", ratio >= AIM)


def _times(folder: Path, pictures: list[bytes]) -> tuple[float, float]:
    """Seconds, close together: what else the machine does falls on both."""
    began = time.perf_counter()
    _ours(folder / "ours.mp4", pictures)
    between = time.perf_counter()
    _bare(folder / "bare.mp4", pictures)
    return between - began, time.perf_counter() - between


def _ours(path: Path, pictures: list[bytes]) -> None:
    with FilmWriter(path, FilmSettings(*SIZE, fps=FPS)) as writer:
        for picture in pictures:
            writer.add(opened(picture, SIZE, max_pixels=MAX_PIXELS))
        writer.close()


def _bare(path: Path, pictures: list[bytes]) -> None:
    """What there is to reach: the same pictures, encoder and quality, and nothing else."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "23", "preset": "veryfast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        for number, picture in enumerate(pictures):
            with Image.open(io.BytesIO(picture)) as image:
                frame: Any = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
