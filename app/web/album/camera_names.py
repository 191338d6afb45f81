"""Cameras for people to choose from: all of a house's, or a few of thousands and those that match what is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple

from app.journal.entries import words
from app.web.context import CameraInfo

MOST_LISTED = 50
"""As many cameras stand in a list to choose from; more are found as one types."""
OFFERED = 20
"""As many are offered then."""
PILLS = 8
"""As many stand above the grid: all, or those that saw something lately."""


class NamedCamera(NamedTuple):
    """A camera as people find it."""

    key: str
    label: str


class CameraDirectory:
    """The configured cameras by name. Thread-safe."""

    def __init__(self, cameras: Mapping[str, CameraInfo], former: Callable[[str], str]) -> None:
        """`former`: what people called a camera that is no longer configured."""
        self._former = former
        self.all = tuple(NamedCamera(key, info.label) for key, info in cameras.items())
        self._labels = {camera.key: camera.label for camera in self.all}

    @cached_property
    def _words(self) -> dict[str, list[str]]:
        """Made for the first search: with thousands of cameras it takes megabytes."""
        return {camera.key: words(f"{camera.key} {camera.label}") for camera in self.all}

    def label(self, key: str) -> str:
        """What people call it, or called it while it was configured; empty without a key."""
        return self._labels.get(key) or (self._former(key) if key else "")

    def listed(self) -> tuple[NamedCamera, ...]:
        """All of them, or none where they are too many for a list."""
        return self.all if len(self.all) <= MOST_LISTED else ()

    def like(self, text: str) -> list[NamedCamera]:
        """Those in whose name each of these words is, or begins."""
        typed = words(text)
        return [camera for camera in self.all if all(self._has(camera, word) for word in typed)]

    def _has(self, camera: NamedCamera, beginning: str) -> bool:
        return any(word.startswith(beginning) for word in self._words[camera.key])
