"""Animations of an event's pictures: GIF, WebP and MP4, brought under a limit of bytes by trying smaller sizes."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import structlog
from PIL import Image, features
from PIL.GifImagePlugin import GifImageFile

from app.media import film
from app.media.film import FilmSettings, FilmWriter, has_bars, letterboxed
from app.media.picture import MAX_PIXELS, BadPicture, describe, upright
from pylib.errors import Permanent
from pylib.files import durable

log = structlog.get_logger(__name__)

AnimationFormat = Literal["gif", "webp", "mp4"]
FORMATS: tuple[AnimationFormat, ...] = get_args(AnimationFormat)
CONTENT_TYPES: Mapping[str, str] = {"gif": "image/gif", "webp": "image/webp", "mp4": "video/mp4"}

MOST_PICTURES = 30
"""In one animation: of more, every second, third ... is left out. In memory at the largest size they take 95 MB."""
LEAST_SIDE = 64
"""Pixels of the longest side below which nothing is tried."""
COLOURS = 255
"""Of the palette that all frames of a GIF share; the last of 256 marks what a frame leaves as it was."""
SAMPLE_SIDE = 160
"""Pixels a side of each frame in the picture that the palette is chosen from."""
VIDEO_FPS = 20
"""A still frame that comes again costs a video some bytes, and players like no slower ones."""
QUALITY = 75
"""Of WebP, 1..100."""

CODES = {
    "one_picture": ("The event has one picture, or one that can be read.", "nothing: there is nothing to animate"),
    "animation_too_large": (
        "The animation does not fit its limit of bytes, however small it is.",
        "raise `animations.max_bytes`",
    ),
    "media_unavailable": ("The file cannot be written.", "see whether the disk is full or read-only"),
    "no_webp": ("Pillow writes no WebP here.", "install Pillow from a wheel of PyPI, or use the image"),
    **{code: film.CODES[code] for code in ("films_missing", "no_film_encoder", "film_unwritable")},
}
"""Code -> what happened, and what to do about it."""


def possible_formats() -> Sequence[AnimationFormat]:
    """Those that this installation can make."""
    lacking = {"webp": not features.check("webp"), "mp4": find_spec("av") is None}
    return [kind for kind in FORMATS if not lacking.get(kind)]


class NotAnimated(Permanent):
    """There will be no such animation; `code` is one of `CODES`."""


@dataclass(frozen=True, slots=True)
class Style:
    """How an animation is to be."""

    size: int = 480
    """Pixels of the longest side, at most; pictures are not enlarged."""
    pace: float = 0.4
    """Seconds from one picture to the next."""
    boomerang: bool = False
    """Whether it runs back to its beginning."""
    max_bytes: int = 3_000_000
    """Of the file."""


@dataclass(frozen=True, slots=True)
class Animation:
    """An animation that is on the disk."""

    path: Path
    format: AnimationFormat
    width: int
    height: int
    frames: int
    """In the file: pictures that are the same as the one before are one in a GIF, and several in a video."""
    duration_s: float
    size: int
    """Bytes."""
    pictures: int
    """That it shows."""
    left_out: int
    """Pictures that could not be read."""
    letterboxed: int
    """Pictures of another shape than the first one, which have bars."""


def animate(
    pictures: Sequence[Path], path: Path, kind: AnimationFormat, style: Style, *, max_pixels: int = MAX_PIXELS
) -> Animation:
    """Make an animation of these pictures, in their order, at `path`: written beside, synced, renamed.

    Upright; all have the shape of the first one, those of another get bars. What cannot be read is left out. Raises
    `NotAnimated` and `app.media.film.FilmError`; OSError or `app.media.film.FilmUnwritable` on a full disk.
    """
    shown = _read(_thinned(pictures), style.size, max_pixels)
    if len(shown.frames) < 2:
        raise NotAnimated("one_picture", f"{len(shown.frames)} of {len(pictures)} pictures can be shown; it takes two")
    frames = [*shown.frames, *shown.frames[-2:0:-1]] if style.boomerang else shown.frames
    side = max(frames[0].size)
    while True:
        made = _WRITERS[kind](_scaled(frames, side), path, style)
        if made.size <= style.max_bytes:
            return replace(made, pictures=len(shown.frames), left_out=shown.left_out, letterboxed=shown.letterboxed)
        path.unlink()
        if side <= LEAST_SIDE:
            raise NotAnimated(
                "animation_too_large", f"{made.size} bytes at {side} pixels, {style.max_bytes} are allowed"
            )
        # Bytes grow with the area.
        side = max(LEAST_SIDE, int(side * min(0.85, 0.95 * math.sqrt(style.max_bytes / made.size))))


@dataclass(frozen=True, slots=True)
class _Shown:
    frames: list[Image.Image]
    left_out: int
    letterboxed: int


def _thinned(pictures: Sequence[Path]) -> Sequence[Path]:
    return pictures[:: -(-len(pictures) // MOST_PICTURES)] if pictures else pictures


def _read(pictures: Sequence[Path], size: int, max_pixels: int) -> _Shown:
    """The pictures as frames of one size, the first one's scaled to fit `size`."""
    frames: list[Image.Image] = []
    canvas, left_out, bars = (0, 0), 0, 0
    for path in pictures:
        try:
            data = durable.read(str(path))
            if not frames:
                is_now = describe(data, max_pixels=max_pixels)
                factor = min(1.0, size / max(is_now.width, is_now.height))
                canvas = max(1, round(is_now.width * factor)), max(1, round(is_now.height * factor))
            picture = upright(data, width=canvas[0], max_pixels=max_pixels)
        except (OSError, BadPicture) as error:
            log.warning("left out of an animation", path=str(path), reason=str(error))
            left_out += 1
            continue
        bars += has_bars(picture.size, canvas)
        frames.append(letterboxed(picture, canvas))
    return _Shown(frames, left_out, bars)


def _scaled(frames: Sequence[Image.Image], side: int) -> list[Image.Image]:
    width, height = frames[0].size
    factor = side / max(width, height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return [frame if frame.size == size else frame.resize(size, Image.Resampling.BICUBIC) for frame in frames]


def _write_gif(frames: Sequence[Image.Image], path: Path, style: Style) -> Animation:
    palette = _sheet(frames).quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
    first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    each_ms = 10 * max(2, round(style.pace * 100))  # browsers show faster ones slowly
    first.save(
        buffer,
        "GIF",
        save_all=True,
        append_images=others,
        palette=bytes(palette.getpalette() or ()),
        duration=each_ms,
        loop=0,
    )
    durable.write(path, buffer.getvalue())
    count = GifImageFile(io.BytesIO(buffer.getvalue())).n_frames
    return _made(path, "gif", frames[0].size, frames=count, seconds=len(frames) * each_ms / 1000)


def _sheet(frames: Sequence[Image.Image]) -> Image.Image:
    """All frames, small, in one picture: what its palette has is good for all of them."""
    small = [frame.reduce(max(1, -(-max(frame.size) // SAMPLE_SIDE))) for frame in frames]
    width, height = small[0].size
    sheet = Image.new("RGB", (width, height * len(small)))
    for row, frame in enumerate(small):
        sheet.paste(frame, (0, row * height))
    return sheet


def _write_webp(frames: Sequence[Image.Image], path: Path, style: Style) -> Animation:
    if not features.check("webp"):
        raise NotAnimated("no_webp", "this machine's Pillow writes no WebP")
    buffer = io.BytesIO()
    each_ms = max(20, round(style.pace * 1000))
    options: dict[str, Any] = {"duration": each_ms, "loop": 0, "quality": QUALITY, "method": 3}
    frames[0].save(buffer, "WEBP", save_all=True, append_images=list(frames[1:]), **options)
    durable.write(path, buffer.getvalue())
    return _made(path, "webp", frames[0].size, frames=len(frames), seconds=len(frames) * each_ms / 1000)


def _write_mp4(frames: Sequence[Image.Image], path: Path, style: Style) -> Animation:
    width, height = frames[0].size
    each = max(1, round(style.pace * VIDEO_FPS))
    with FilmWriter(path, FilmSettings(width, height, fps=VIDEO_FPS)) as writer:
        for frame in frames:
            writer.add(frame, times=each)
        made = writer.close()
    return _made(path, "mp4", (made.width, made.height), frames=made.frames, seconds=made.duration_s)


def _made(path: Path, kind: AnimationFormat, size: tuple[int, int], *, frames: int, seconds: float) -> Animation:
    width, height = size
    return Animation(path, kind, width, height, frames, seconds, path.stat().st_size, frames, 0, 0)


_WRITERS: Mapping[AnimationFormat, Callable[[Sequence[Image.Image], Path, Style], Animation]] = {
    "gif": _write_gif,
    "webp": _write_webp,
    "mp4": _write_mp4,
}
