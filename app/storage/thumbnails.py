"""Thumbnails for the album: each made once, and kept on disk until its picture is evicted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

import structlog

from app.media.formats import JPEG_END, JPEG_START
from app.media.thumbnail import preview, thumbnail
from app.messages import Snapshot
from pylib.errors import Permanent, Transient
from pylib.files import durable
from pylib.runtime.key_locks import KeyedLock

log = structlog.get_logger(__name__)

Size = Literal["thumbnail", "preview"] | int
"""480 pixels wide, for lists; at most 2048 pixels a side, for looking at one; or so many pixels wide."""

BATCH = 200
"""Ids in one query of those that still have a picture."""

_MAKERS: Mapping[str, Callable[..., bytes]] = {"thumbnail": thumbnail, "preview": preview}


class PictureGone(Permanent):
    """There is no picture (any more) to make a thumbnail of."""


class ThumbnailsUnavailable(Transient):
    """A picture cannot be read, or its thumbnail not be written, now."""


class Thumbnails:
    """The folder of thumbnails and previews: `<first two digits of the id>/<id>-<size>.jpg`.

    All methods may be called from any thread.
    """

    def __init__(self, root: Path, *, max_pixels: int, widths: Sequence[int] = ()) -> None:
        """`max_pixels`: larger pictures are refused; `widths`: those that are asked for."""
        self.root = root
        self._max_pixels = max_pixels
        self._sizes: tuple[Size, ...] = ("thumbnail", "preview", *widths)
        self._turns = KeyedLock()

    def read(self, snapshot: Snapshot, size: Size) -> bytes:
        """The JPEG, made now if it was not before, whether it can be stored or not.

        Raises `PictureGone`, `app.media.picture.BadPicture`, `ThumbnailsUnavailable`.
        """
        made = self.found(snapshot, size)
        if made is None:
            with self._turns.take((snapshot.id, size)):
                made = self.found(snapshot, size) or self._make(snapshot, size)
        return made

    def of_file(self, path: Path) -> bytes:
        """A thumbnail that is not kept. Raises as `read` does."""
        return thumbnail(read_picture(str(path)), max_pixels=self._max_pixels)

    def found(self, snapshot: Snapshot, size: Size) -> bytes | None:
        """The JPEG if it was made before. Raises `PictureGone`."""
        if not snapshot.path:
            raise _gone(snapshot)
        try:
            made = durable.read(str(self._path(snapshot.id, size)))
        except OSError:
            return None
        # Written without waiting for the disk: a power cut may leave an empty file under the complete one's name.
        return made if made.startswith(JPEG_START) and made.endswith(JPEG_END) else None

    def drop(self, snapshot_id: str) -> None:
        """Delete the thumbnails of a picture whose file is gone."""
        for size in self._sizes:
            self._remove(self._path(snapshot_id, size))

    def sweep(self, known: Callable[[Sequence[str]], Collection[str]], *, beat: Callable[[], None]) -> int:
        """Delete the thumbnails of pictures that are gone; returns of how many.

        `known`: those of some ids that still have a picture; `beat`: called between two folders.
        """
        dropped = 0
        for folder in self._folders():
            beat()
            files_of = _by_id(folder)
            ids = list(files_of)
            for start in range(0, len(ids), BATCH):
                some = ids[start : start + BATCH]
                gone = set(some) - set(known(some))
                dropped += len(gone)
                for path in (path for snapshot_id in gone for path in files_of[snapshot_id]):
                    self._remove(path)
        return dropped

    def _make(self, snapshot: Snapshot, size: Size) -> bytes:
        make = partial(thumbnail, width=size) if isinstance(size, int) else _MAKERS[size]
        made = make(picture_of(snapshot), max_pixels=self._max_pixels)
        path = self._path(snapshot.id, size)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.write(path, made, sync=False)  # it can be made again
        except OSError as error:
            log.warning("thumbnail not kept", path=str(path), reason=error.strerror)
        if not Path(snapshot.path).exists():
            self._remove(path)  # deleted while this was made: `drop` may have come before the file
            raise _gone(snapshot)
        return made

    def _folders(self) -> Iterator[Path]:
        with suppress(OSError):
            yield from sorted(self.root.glob("*/"))

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("cannot delete", path=str(path), reason=error.strerror)

    def _path(self, snapshot_id: str, size: Size) -> Path:
        return self.root / snapshot_id[:2] / f"{snapshot_id}-{size}.jpg"


def picture_of(snapshot: Snapshot) -> bytes:
    """The picture itself. Raises `PictureGone`, `ThumbnailsUnavailable`."""
    if not snapshot.path:
        raise _gone(snapshot)
    return read_picture(snapshot.path)


def read_picture(path: str) -> bytes:
    """A picture's file. Raises `PictureGone`, `ThumbnailsUnavailable`."""
    try:
        return durable.read(path)
    except FileNotFoundError:
        raise PictureGone("picture_gone", "the picture is no longer in the cache") from None
    except OSError as error:
        raise ThumbnailsUnavailable("picture_unreadable", f"cannot read {path}: {error.strerror}") from error


def _by_id(folder: Path) -> dict[str, list[Path]]:
    """All files of a folder by the id of the snapshot that they were made of, half written ones too."""
    found: dict[str, list[Path]] = {}
    for path in folder.glob("*-*"):
        found.setdefault(path.name.removeprefix(".").partition("-")[0], []).append(path)
    return found


def _gone(snapshot: Snapshot) -> PictureGone:
    return PictureGone("picture_gone", snapshot.problem or "the picture is no longer in the cache")
