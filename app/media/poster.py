"""A picture that stands for a video, so that the album can show what the video is of."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from app.media import poster_process
from pylib.errors import Permanent

CODES = {
    "video_unreadable": (
        "No picture could be taken out of the video, so it may be damaged.",
        "play it on a computer; set the camera to H.264 in MP4",
    ),
}
"""Code -> what happened, and what to do about it."""

LONGEST_S = 10.0
"""Seconds that one takes at most, of which few may be the processor's."""
AT_ONCE = 2
"""Further ones wait: pictures come first."""

_turns = threading.BoundedSemaphore(AT_ONCE)


class NoPoster(Permanent):
    """There is none; `code` is one of `CODES`."""


def poster(video: Path) -> bytes:
    """A JPEG out of the video's middle, made by a process of its own in bounded time; empty where PyAV is missing.

    Raises `NoPoster`.
    """
    if importlib.util.find_spec("av") is None:
        return b""
    with _turns, tempfile.TemporaryFile() as output:
        try:
            # Isolated: neither the folder that it is started in nor a variable decides what it loads.
            status = subprocess.run(  # noqa: S603 - ourselves
                [sys.executable, "-I", poster_process.__file__, str(video)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
                timeout=LONGEST_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise NoPoster("video_unreadable", f"it took longer than {LONGEST_S:g} s to take a picture out") from None
        output.seek(0)
        jpeg = output.read(poster_process.LARGEST_JPEG)
    if status or not jpeg:
        raise NoPoster("video_unreadable", "there is no frame in it that can be decoded")
    return jpeg
