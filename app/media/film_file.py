"""Films that there are: read, and joined without encoding them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image

from app.media.film import Film, FilmError, finish, new_container, partial_of, pyav, require_frames, writing


def join(parts: Iterable[Path], path: Path, *, fps: int) -> Film:
    """Put films of one way of encoding behind each other without encoding them again.

    Packets are copied, so that the cost is that of copying the files. Written beside, synced, renamed. Raises
    `FilmError` (`film_mismatch`, `film_unreadable`), `FilmUnwritable`.
    """
    partial, frames, ticks = partial_of(path), 0, 0
    output: Any = None
    stream: Any = None
    template: Any = None
    try:
        for part in parts:
            with _reading(part) as source:
                given = source.streams.video[0]
                if output is None:
                    with writing(path):
                        output = new_container(partial)
                        stream = output.add_stream_from_template(given)
                    template = (_way(given), given.time_base)
                    ticks = int(1 / fps / given.time_base)
                _require_same(template, (_way(given), given.time_base), part)
                for packet in source.demux(given):
                    if not packet.size:
                        continue  # the end
                    packet.stream = stream
                    packet.pts = packet.dts = frames * ticks
                    packet.duration = ticks
                    frames += 1
                    with writing(path):
                        output.mux(packet)
        require_frames(frames)
        width, height, name = stream.codec_context.width, stream.codec_context.height, stream.codec_context.name
        with writing(path):
            output.close()
            finish(partial, path)
    except BaseException:
        with suppress(Exception):
            if output is not None:
                output.close()
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    return Film(path, frames, width, height, frames / fps, path.stat().st_size, name)


def extradata_of(path: Path) -> bytes:
    """The codec's configuration in a film's header: films in which it is the same can be joined. Raises `FilmError`."""
    with _reading(path) as source:
        return bytes(source.streams.video[0].codec_context.extradata or b"")


def frames_of(path: Path) -> int:
    """How many frames a film has, by its packets. Raises `FilmError`."""
    with _reading(path) as source:
        return sum(1 for packet in source.demux(source.streams.video[0]) if packet.size)


def images_of(path: Path) -> Iterator[Image.Image]:
    """A film's frames. Raises `FilmError`."""
    with _reading(path) as source:
        for frame in source.decode(source.streams.video[0]):
            yield frame.to_image()


def still(path: Path, *, at: float = 0.5) -> Image.Image:
    """A frame of a film, at this part of it (0..1): the keyframe before. Raises `FilmError`."""
    with _reading(path) as source:
        stream = source.streams.video[0]
        source.seek(int((stream.duration or 0) * at), stream=stream)
        for frame in source.decode(stream):
            image: Image.Image = frame.to_image()
            return image
    raise FilmError("film_unreadable", f"{path.name} has no frame")


def _require_same(one: object, other: object, part: Path) -> None:
    if one != other:
        raise FilmError("film_mismatch", f"{part.name} was encoded in another way than what is before it")


def _way(stream: Any) -> tuple[object, ...]:
    codec = stream.codec_context
    return codec.name, codec.width, codec.height, bytes(codec.extradata or b"")


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    av = pyav()
    try:
        with av.open(str(path)) as source:
            if not source.streams.video:
                raise FilmError("film_unreadable", f"{path.name} is no film")
            yield source
    except (av.error.FFmpegError, FileNotFoundError) as error:
        raise FilmError("film_unreadable", f"cannot read {path}: {error.strerror or error}") from error
