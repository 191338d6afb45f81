"""The booth: takes a guest's pictures, makes the animation, and keeps what the guest wants to have kept."""

from __future__ import annotations

import io
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageOps

from app.booth.guests import Guest
from app.booth.kept import ANIMATION, KeptAnimations, content_of, disk_errors
from app.booth.machine import Event, Machine, NotNow, Turn
from app.booth.settings import BoothSettings
from app.media.picture import upright
from pylib.errors import Permanent
from pylib.files import durable

Animate = Callable[[Sequence[Path], Path], object]
"""Makes a GIF of pictures that lie in files, at this path."""


class BadFramePicture(Permanent):
    """The picture that is laid over all others cannot be used."""


class Booth:
    """One booth. Every method may be called from any thread."""

    def __init__(
        self,
        settings: BoothSettings,
        *,
        kept: KeptAnimations,
        now_folder: Path,
        animate: Animate,
        camera: Callable[[], bytes] | None = None,
        max_pixels: int = 50_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now_folder`: for the guest who stands here, emptied when they leave and at each start; `camera`: takes a
        picture, where it is not the tablet that does."""
        self.settings = settings
        self.kept = kept
        self.takes_pictures = camera is not None
        self._machine = Machine(pictures=settings.pictures, clock=clock)
        self._now_folder = now_folder
        self._animate = animate
        self._camera = camera
        self._max_pixels = max_pixels
        self._lock = threading.RLock()
        self._here = ""
        """Whose files lie in `now_folder`."""
        self._last_kept = ""
        """Who has kept theirs last."""
        self._attempted = ""
        """Who has tried to, last."""
        self._overlay: Image.Image | None = None

    def open(self) -> None:
        """Make the folder, forget a guest of an earlier run, and read the frame picture. Raises `BadFramePicture`."""
        shutil.rmtree(self._now_folder, ignore_errors=True)
        durable.make_folder(self._now_folder)
        if self.settings.frame_picture is not None:
            try:
                data = self.settings.frame_picture.read_bytes()
                self._overlay = upright(data, faithful=True).convert("RGBA")
            except (OSError, Permanent) as error:
                reason = error.strerror if isinstance(error, OSError) else getattr(error, "detail", "")
                raise BadFramePicture("frame_picture", f"booth.frame_picture cannot be used: {reason}") from None

    # -- a guest's way ------------------------------------------------------------------------------

    def look(self) -> tuple[Turn, float | None]:
        """Where the booth is, and the seconds until that ends by itself."""
        with self._lock:
            return self._synced(), self._machine.seconds_left

    def start(self) -> Turn:
        """Begin with a guest; with one there already, nothing changes."""
        with self._lock:
            turn = self._synced()
            if turn.state != "ready":
                return turn
            return self._on("start", uuid.uuid4().hex)

    def on(self, event: Event, guest: str) -> Turn:
        """Follow a guest's choice. Raises `NotNow`."""
        with self._lock:
            return self._on(event, guest)

    def picture(self, guest: str, position: int, data: bytes = b"") -> Turn:
        """Take the picture of this position, from 0 on; the last one makes the animation.

        The same one again changes nothing. `data` is the tablet's; without, the booth's camera takes it. Raises
        `NotNow`, `app.media.picture.BadPicture`, `app.cameras.CameraError`, `CacheUnavailable`.
        """
        with self._lock:
            turn = self._synced()
            if guest == turn.guest and guest and position < turn.taken:
                return turn
            if guest != turn.guest or turn.state not in ("countdown", "pictures") or position != turn.taken:
                raise NotNow("picture", turn.state)
            drawn = self._drawn(self._camera() if self._camera else data)
            with disk_errors(self._now_folder):
                durable.make_folder(self._now_folder / guest)
                durable.write(self._frame(guest, position), drawn)
            turn = self._on("picture", guest)
            if turn.state == "animation":
                turn = self._animated(turn)
            return turn

    def keep(self, turn_of: str, guest: Guest, *, language: str) -> Turn:
        """Keep a guest's animation, and have it stored and mailed. The same again changes nothing.

        When this returns it is on the disk. Raises `NotNow`, `CacheUnavailable`, `DatabaseUnavailable`.
        """
        with self._lock:
            turn = self._synced()
            if turn.state == "done" and turn.guest == turn_of:
                return turn
            if turn.state != "guest" or turn.guest != turn_of:
                raise NotNow("kept", turn.state)
            self._attempted = turn_of
            self.kept.keep(turn_of, guest, begun=self._now_folder / turn_of, language=language)
            self._last_kept = turn_of
            return self._on("kept", turn_of)

    def animation(self, guest: str) -> bytes | None:
        """The animation of the guest who stands here; None when there is none (any more)."""
        with self._lock:
            turn = self._synced()
            if not guest or turn.guest != guest:
                return None
            return content_of(self._now_folder / guest / ANIMATION) or self.kept.animation(guest)

    # -- inside ---------------------------------------------------------------------------------------

    def _on(self, event: Event, guest: str) -> Turn:
        self._synced()
        self._machine.on(event, guest)
        if event == "retake":
            self._forget()
        return self._synced()

    def _synced(self) -> Turn:
        """Where it is, with nothing left of somebody who is no longer there."""
        turn = self._machine.turn
        if turn.guest != self._here:
            self._forget()
            if self._here and self._here == self._attempted != self._last_kept:
                self.kept.undo(self._here)
            self._here = turn.guest
        return turn

    def _forget(self) -> None:
        if self._here and self._here != self._last_kept:
            shutil.rmtree(self._now_folder / self._here, ignore_errors=True)
            self.kept.discard(self._here)  # of an attempt to keep it that failed

    def _frame(self, guest: str, position: int) -> Path:
        return self._now_folder / guest / f"frame-{position}.jpg"

    def _drawn(self, data: bytes) -> bytes:
        """The picture as it is kept: upright, of the setting's size, with the frame picture over it."""
        side = self.settings.size
        image = upright(data, max_pixels=self._max_pixels)
        image.thumbnail((side, side), Image.Resampling.BICUBIC)
        if self._overlay is not None:
            over = ImageOps.fit(self._overlay, image.size, Image.Resampling.BICUBIC)
            image.paste(over, mask=over)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    def _animated(self, turn: Turn) -> Turn:
        frames = [self._frame(turn.guest, position) for position in range(turn.taken)]
        with disk_errors(self._now_folder):
            self._animate(frames, self._now_folder / turn.guest / ANIMATION)
        return self._on("made", turn.guest)
