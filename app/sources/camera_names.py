"""Finds the camera that a message names, in any spelling that can mean nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from app.naming import Names
from app.wire import MalformedTrigger

NAMED = 10
"""How many known cameras an error names."""


class CameraNames:
    """The configured cameras by device key."""

    def __init__(self, cameras: Collection[str]) -> None:
        self._cameras = cameras
        self._spelled = Names((camera, camera) for camera in cameras)

    def find(self, name: str) -> str:
        """The device key. Raises `MalformedTrigger` (`unknown_camera`), with what may have been meant."""
        camera = name if name in self._cameras else self._spelled.find(name)
        if camera is None:
            raise MalformedTrigger("unknown_camera", self._unknown(name))
        return camera

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._cameras, n=1)
        if close:
            return f"no camera {name!r}; did you mean {close[0]!r}?"
        known = sorted(self._cameras)
        more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
        return f"no camera {name!r}; there are: {', '.join(known[:NAMED]) or 'none'}{more}"
