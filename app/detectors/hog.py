"""Finds people on this machine with OpenCV's HOG detector: no account, no download, no network."""

from __future__ import annotations

import math
import os
import threading
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from app.detectors import DetectorContext, DetectorSettings
from app.detectors.pixels import CODES as CODES
from app.detectors.pixels import pixels as decoded
from app.messages import Box, Detection, Label

_WINDOW = (64, 128)
"""Width and height in pixels of what the trained detector looks at, of which the person is the inner 32 x 96
(Dalal and Triggs 2005: 16 pixels of margin on each side)."""
_MARGIN = 16

# Padding by the margin: the feet of whoever stands at the edge of the picture count too.
_FIRST_LOOK: dict[str, Any] = {"winStride": (8, 8), "scale": 1.05, "padding": (16, 16)}
_SECOND_LOOK: dict[str, Any] = {"winStride": (4, 4), "scale": 1.03, "padding": (16, 16)}
_SECOND_LOOK_HEIGHT = 144
"""Pixels to which a candidate's window is brought: a little over the detector's own, so that a few steps of
the scale are tried on either side of what the first look found."""
_MAX_CANDIDATES = 16
"""Bounds the second looks at a picture full of fences and trees; each takes about 10 ms."""

_EVEN_WEIGHT = 1.5
"""Second-look weight that means "as likely as not". Measured on photographs cropped and mirrored in 24 ways:
a person 1.7 to 2.7, a dog beside a bicycle and a truck at most 0.9, drawn houses and gardens at most 1.3;
drawn figures mostly 2.2 to 5."""


class HogSettings(DetectorSettings):
    """OpenCV's people detector."""

    kind: Literal["hog"] = "hog"
    long_side: int = Field(
        default=640,
        ge=320,
        le=1920,
        description="Pixels to which a picture's longer side is scaled. A larger size finds persons farther away (640"
        " finds those at least a seventh as high as the picture is wide), and takes time by its square.",
    )


@dataclass(frozen=True, slots=True)
class _Person:
    """One find: the person's rectangle in pixels of the scaled picture, without the window's margin."""

    left: float
    top: float
    width: float
    height: float
    weight: float

    def covers(self, other: _Person) -> bool:
        """Whether the two overlap by half of the smaller one: the same person, found twice or nested."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        smaller = min(self.width * self.height, other.width * other.height)
        return width > 0 and height > 0 and width * height > smaller / 2


class Hog:
    """Finds persons who stand or walk upright and are completely visible: a box for each, the surest first.

    A coarse search over the whole picture finds candidates; a finer one around each gives its confidence.
    The coarse weight alone depends on how the grid happens to fall on a person (0.9 to 2.2 for one
    photograph shifted by a few pixels) and nearly meets that of dogs and bicycles; the finer one does not.
    """

    name = "hog"
    title = "HOG (on this machine)"
    advice = "HOG finds few people: snapshot-processor model add yolox-nano, then start again"
    environment = ()
    cost_usd = 0.0
    Settings = HogSettings

    def __init__(self, settings: HogSettings, _: DetectorContext = DetectorContext()) -> None:  # noqa: B008 - frozen
        """Load OpenCV (40 MB); everything after that is quick."""
        import cv2
        import numpy as np

        # Its own threads would fight with those that call `detect`, of which there is one for each CPU.
        # It is a setting of the whole process, hence made once and here.
        cv2.setNumThreads(1)
        self.concurrency = os.cpu_count() or 1
        self._cv2 = cv2
        self._np = np
        self._settings = settings
        self._local = threading.local()

    def detect(self, picture: bytes) -> Detection:
        """The persons in this picture; boxes are relative to it as seen upright.

        Raises `DetectorRejected` when it cannot be decoded. About 75 ms on one core for a typical picture.
        """
        pixels = self._pixels(picture)
        height, width = pixels.shape[:2]
        persons = [
            person
            for person in self._search(pixels)
            if confidence_of(person.weight) >= self._settings.minimum_confidence
        ]
        if not persons:
            return Detection()
        boxes = tuple(_relative(person, width, height) for person in persons)
        label = Label("Person", round(confidence_of(persons[0].weight), 4), boxes)
        return Detection(labels=(label,), person_count=len(boxes))

    def close(self) -> None:
        """Nothing to release."""

    def _pixels(self, picture: bytes) -> Any:
        """The picture upright, its longer side as configured.

        In grey: a tenth quicker, night pictures are grey anyway, and empty scenes get lower weights.
        """
        pixels = decoded(picture, long_side=self._settings.long_side, grey=True)
        target = self._settings.long_side
        factor = target / max(pixels.shape[:2])
        return self._resized(pixels, *(max(1, round(side * factor)) for side in pixels.shape[1::-1]))

    def _resized(self, pixels: Any, width: int, height: int) -> Any:
        # Gradients are all that counts here: shrinking without averaging would make some up.
        shrinks = width < pixels.shape[1]
        method = self._cv2.INTER_AREA if shrinks else self._cv2.INTER_LINEAR
        return self._cv2.resize(pixels, (width, height), interpolation=method)

    def _search(self, pixels: Any) -> list[_Person]:
        candidates = _distinct(self._look(pixels, _FIRST_LOOK))[:_MAX_CANDIDATES]
        finds = [find for candidate in candidates for find in self._look_again(pixels, candidate)]
        return _distinct(finds)

    def _look(self, pixels: Any, how: dict[str, Any]) -> list[_Person]:
        """Every window that looks like a person at all (weight over 0), the likeliest first."""
        if pixels.shape[1] < _WINDOW[0] or pixels.shape[0] < _WINDOW[1]:
            return []
        windows, weights = self._descriptor().detectMultiScale(pixels, hitThreshold=0, groupThreshold=0, **how)
        finds = []
        for window, weight in zip(windows, weights, strict=True):
            left, top, width, height = _whole(*(float(pixel) for pixel in window))
            margin = height * _MARGIN / _WINDOW[1]
            finds.append(_Person(left + margin, top + margin, width - 2 * margin, height - 2 * margin, float(weight)))
        return sorted(finds, key=lambda find: find.weight, reverse=True)

    def _look_again(self, pixels: Any, candidate: _Person) -> list[_Person]:
        """Search for the same person on a finer grid, at a size that does not depend on how near they are."""
        factor = _SECOND_LOOK_HEIGHT * (1 - 2 * _MARGIN / _WINDOW[1]) / candidate.height
        around = candidate.height * 0.4
        left, top = max(0, int(candidate.left - around)), max(0, int(candidate.top - around))
        right = int(candidate.left + candidate.width + around)
        bottom = int(candidate.top + candidate.height + around)
        cut = pixels[top:bottom, left:right]
        size = (max(_WINDOW[0], round(cut.shape[1] * factor)), max(_WINDOW[1], round(cut.shape[0] * factor)))
        finds = self._look(self._resized(cut, *size), _SECOND_LOOK)
        across, down = cut.shape[1] / size[0], cut.shape[0] / size[1]
        return [
            _Person(
                left + find.left * across,
                top + find.top * down,
                find.width * across,
                find.height * down,
                find.weight,
            )
            for find in finds
        ]

    def _descriptor(self) -> Any:
        """This thread's own: OpenCV's objects are not meant to be shared between threads (opencv#10532)."""
        if not hasattr(self._local, "descriptor"):
            descriptor = self._cv2.HOGDescriptor()
            descriptor.setSVMDetector(self._np.asarray(self._cv2.HOGDescriptor.getDefaultPeopleDetector()))
            self._local.descriptor = descriptor
        return self._local.descriptor


def confidence_of(weight: float) -> float:
    """Confidence (0..1) for a weight of the support vector machine, which grows without bound.

    A logistic curve: 0.27 at a weight of 1, 0.5 at 1.5, 0.86 at 2.4, 0.95 at 3. It orders finds; it is no
    measured probability.
    """
    return 1 / (1 + math.exp(-2 * (weight - _EVEN_WEIGHT)))


def _whole(left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
    """A window as it was before OpenCV cut off what reached over the picture's edge, into the padding."""
    whole = max(width, height * _WINDOW[0] / _WINDOW[1])
    high = whole * _WINDOW[1] / _WINDOW[0]
    return left or width - whole, top or height - high, whole, high


def _distinct(finds: list[_Person]) -> list[_Person]:
    """Non-maximum suppression: the likeliest of those that overlap."""
    kept: list[_Person] = []
    for find in sorted(finds, key=lambda find: find.weight, reverse=True):
        if not any(find.covers(other) for other in kept):
            kept.append(find)
    return kept


def _relative(person: _Person, width: int, height: int) -> Box:
    left, top = max(0.0, person.left / width), max(0.0, person.top / height)
    right = min(1.0, (person.left + person.width) / width)
    bottom = min(1.0, (person.top + person.height) / height)
    return Box(round(left, 4), round(top, 4), round(right - left, 4), round(bottom - top, 4))
