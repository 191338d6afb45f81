"""A process of its own that takes one picture out of a video: `python poster_process.py VIDEO`, a JPEG on its output.

The video may have been made to harm: what decodes it has little time, memory and disk, and can open no other file. Run
by its path and alone, it imports nothing of the service.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Any

CPU_S = 5
MEMORY = 2_000_000_000
"""Bytes of addresses, most of them of libraries."""
LARGEST_JPEG = 5_000_000
MAX_PIXELS = 50_000_000
SIDE = 2048
"""Pixels of the picture's longer side, at most."""
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpeg,mpegts,h264,hevc,dhav"
"""Containers that hold a video, and none that names other files or addresses, as playlists do."""


def main(path: str) -> None:
    """Write the keyframe before the video's middle, or else the first. Raises whatever is wrong with it."""
    limits = {
        resource.RLIMIT_CPU: CPU_S,
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: LARGEST_JPEG,
        resource.RLIMIT_CORE: 0,
    }
    for name, most in limits.items():
        resource.setrlimit(name, (most, most))
    os.nice(10)
    import av  # within the limits

    options = {"format_whitelist": FORMATS, "protocol_whitelist": "none", "max_pixels": str(MAX_PIXELS)}
    # From an open file, so that no name is looked at.
    with open(path, "rb") as file, av.open(file, "r", options=options, metadata_errors="replace") as container:  # noqa: PTH123
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        if stream.duration:
            container.seek((stream.start_time or 0) + stream.duration // 2, stream=stream)
        frame: Any = next(container.decode(stream))
        image = frame.to_image()
    image.thumbnail((SIDE, SIDE))
    image.save(sys.stdout.buffer, "JPEG", quality=88)


if __name__ == "__main__":
    main(sys.argv[1])
