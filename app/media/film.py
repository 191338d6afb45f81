"""Films of pictures: H.264 in MP4, encoded picture by picture.

PyAV comes with the extra `films`; it is loaded with the first film.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image

from app.media.picture import upright
from pylib.errors import Permanent, Transient
from pylib.files import durable

CODES = {
    "films_missing": ("The library for films, PyAV, is not installed.", "install the extra `films`, or use the image"),
    "no_film_encoder": (
        "PyAV has none of the encoders for films: libx264, VP9, mpeg4.",
        "install PyAV from a wheel of PyPI, or use the image",
    ),
    "film_unwritable": ("A film cannot be written.", "see whether the disk is full or read-only"),
    "film_unreadable": ("A film, or a part of one, cannot be read.", "delete it, and have it made again"),
    "film_mismatch": (
        "Two parts of a film were encoded in different ways, and cannot be joined as they are.",
        "have the older part encoded again",
    ),
}
"""Code -> what happened, and what to do about it."""

ENCODERS = {
    "libx264": {"bf": "0", "sc_threshold": "0"},
    # Browsers play VP9, and mpeg4 not.
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0", "auto-alt-ref": "0", "b": "0"},
    "mpeg4": {"bf": "0"},
}
"""PyAV's encoders, the best first, with what each needs so that frames leave it in the order in which they came."""

GOP_S = 2
"""A keyframe stands at the start, and then each so many seconds: players jump there."""
BT709 = 1
"""The number of the colours of high definition in H.264 (H.273, tables 2 to 4)."""
LIMITED = 1
"""FFmpeg's number of the range of television, 16..235."""
MOST_THREADS = 4
"""Each holds a few frames."""


class FilmError(Permanent):
    """A film cannot be made so, now or later; `code` is one of `CODES`."""


class FilmUnwritable(Transient):
    """A film cannot be written now: the disk is full, read-only or gone."""


@dataclass(frozen=True, slots=True)
class FilmSettings:
    """How a film is encoded. Parts that are to be joined have the same."""

    width: int
    height: int
    """Pixels; odd ones are made even."""
    fps: int = 12
    """Frames a second, 1..60."""
    crf: int = 23
    """Quality of H.264 and VP9, 0 (all of it) to 51; 6 more are half the bytes."""
    preset: str = "veryfast"
    """libx264's: how much work it takes for fewer bytes."""
    encoder: str = ""
    """One of `ENCODERS`; empty for the best one that there is."""

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            object.__setattr__(self, name, max(2, getattr(self, name) // 2 * 2))

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


@dataclass(frozen=True, slots=True)
class Film:
    """A film that is on the disk."""

    path: Path
    frames: int
    width: int
    height: int
    duration_s: float
    size: int
    """Bytes."""
    encoder: str
    letterboxed: int = 0
    """Pictures of another shape, which have bars."""


def best_encoder(wanted: str = "") -> str:
    """The encoder to use: `wanted`, or the best one that there is. Raises `FilmError`."""
    found = [name for name in ((wanted,) if wanted else ENCODERS) if _has_encoder(name)]
    if not found:
        there_is = f"no encoder {wanted}" if wanted else f"none of the encoders {', '.join(ENCODERS)}"
        raise FilmError("no_film_encoder", f"PyAV has {there_is}: install PyAV from a wheel of PyPI")
    return found[0]


def encoder_hint() -> str:
    """What to tell people of the encoder: empty for libx264, else that it is another, and what follows from it.

    Raises `FilmError`.
    """
    name = best_encoder()
    plays = {"libvpx-vp9": "VP9, which some televisions do not play", "mpeg4": "mpeg4, which browsers do not play"}
    return f"PyAV has no libx264 here: films are {plays[name]}" if name in plays else ""


def has_bars(picture: tuple[int, int], frame: tuple[int, int]) -> bool:
    """Whether a picture of this size has another shape than the frame; a pixel more or less is none."""
    scale = min(frame[0] / picture[0], frame[1] / picture[1])
    return max(frame[0] - picture[0] * scale, frame[1] - picture[1] * scale) >= 2


def letterboxed(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The whole picture in the middle of a frame of this size, RGB, with black bars where the shapes differ."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    inner = tuple(
        side if abs(side - length * scale) < 2 else max(1, round(length * scale))
        for side, length in zip(size, picture.size, strict=True)
    )
    if picture.size != inner:
        picture = picture.resize((inner[0], inner[1]), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if inner == size:
        return picture
    frame = Image.new("RGB", size)
    frame.paste(picture, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return frame


def opened(picture: bytes, size: tuple[int, int], *, max_pixels: int) -> Image.Image:
    """A picture for a frame of this size: upright, RGB, decoded no larger than it needs to be.

    Raises `app.media.picture.BadPicture`.
    """
    return upright(picture, width=size[0], max_pixels=max_pixels)


class FilmWriter:
    """Encodes a film frame by frame, in memory that does not grow with it.

    It lies beside its path until `close`, which syncs and renames it; left by an error, nothing of it stays.
    """

    def __init__(self, path: Path, settings: FilmSettings) -> None:
        """Raises `FilmError`, `FilmUnwritable`."""
        self.encoder = best_encoder(settings.encoder)
        self.frames = 0
        self.letterboxed = 0
        self._settings = settings
        self._path = path
        self._partial = partial_of(path)
        self._tick = Fraction(1, settings.fps)
        with writing(path):
            self._container = new_container(self._partial)
        try:
            self._stream = _stream(self._container, self.encoder, settings)
        except BaseException:
            self.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None:
            self.discard()

    def add(self, picture: Image.Image, *, times: int = 1) -> None:
        """Add an RGB picture, of whatever size, for so many frames. Raises `FilmUnwritable`."""
        frame = letterboxed(picture, self._settings.size)
        self.letterboxed += has_bars(picture.size, frame.size)
        image = pyav().VideoFrame.from_image(frame).reformat(format="yuv420p", dst_colorspace="ITU709")
        image.time_base = self._tick
        image.duration = 1
        for _ in range(times):
            image.pts = self.frames
            self.frames += 1
            self._encode(image)

    def close(self) -> Film:
        """End the film and give it its name. Raises `FilmUnwritable`; `FilmError` where it has no frame."""
        try:
            require_frames(self.frames)
            self._encode(None)
            with writing(self._path):
                self._container.close()
                finish(self._partial, self._path)
        except BaseException:
            self.discard()
            raise
        width, height = self._settings.size
        seconds = float(self.frames * self._tick)
        size = self._path.stat().st_size
        return Film(self._path, self.frames, width, height, seconds, size, self.encoder, self.letterboxed)

    def discard(self) -> None:
        """Leave nothing of it."""
        with suppress(Exception):  # a full disk is told once already
            self._container.close()
        with suppress(OSError):
            self._partial.unlink(missing_ok=True)

    def _encode(self, frame: Any) -> None:
        try:
            with writing(self._path):
                for packet in self._stream.encode(frame):
                    self._container.mux(packet)
        except BaseException:
            self.discard()
            raise


def require_frames(frames: int) -> None:
    """Raises `FilmError` for a film without any."""
    if not frames:
        raise FilmError("film_unreadable", "a film without a frame is none")


def new_container(partial: Path) -> Any:
    """An MP4 that is being written."""
    # Without faststart a player has to have all of a film before it shows any of it.
    return pyav().open(str(partial), "w", format="mp4", options={"movflags": "+faststart"})


def _stream(container: Any, encoder: str, settings: FilmSettings) -> Any:
    options = {**ENCODERS[encoder], "crf": str(settings.crf), "g": str(settings.fps * GOP_S)}
    if encoder == "libx264":
        options["preset"] = settings.preset
    if encoder == "mpeg4":
        options |= {"qmin": "3", "qmax": "3"}
        del options["crf"]
    stream = container.add_stream(encoder, rate=settings.fps, options=options)
    stream.width, stream.height = settings.size
    stream.pix_fmt = "yuv420p"
    codec = stream.codec_context
    codec.time_base = Fraction(1, settings.fps)
    codec.thread_count = min(MOST_THREADS, (os.cpu_count() or 1) + 1)
    codec.colorspace = codec.color_primaries = codec.color_trc = BT709
    codec.color_range = LIMITED
    return stream


def finish(partial: Path, path: Path) -> None:
    """Give a film that is written its name, when it is on the disk. Raises OSError."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.rename(path)
    durable.sync_folder(path.parent)


def partial_of(path: Path) -> Path:
    """Where a film lies until it has its name."""
    return path.with_name(f".{path.name}{durable.PARTIAL}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Errors of the disk as `FilmUnwritable`."""
    try:
        yield
    except OSError as error:  # FFmpeg's errors of the system are Python's, too
        reason = error.strerror or str(error)
        raise FilmUnwritable("film_unwritable", f"cannot write {path}: {reason}") from error


def _has_encoder(name: str) -> bool:
    av = pyav()
    try:
        return name in ENCODERS and bool(av.codec.Codec(name, "w").is_encoder)
    except av.error.FFmpegError:
        return False
    except ValueError:  # PyAV's for a name that it does not know
        return False


def pyav() -> Any:
    """The library, loaded now. Raises `FilmError`."""
    try:
        import av
    except ImportError:
        raise FilmError("films_missing", "PyAV is not installed: install the extra `films`") from None
    return av
