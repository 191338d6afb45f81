"""Boxes that models find, and which of them are one thing."""

from __future__ import annotations

import numpy as np

from app.detectors.onnx import boxes
from app.detectors.onnx.boxes import Finds, without_doubles


def test_of_very_many_the_surest_are_compared() -> None:
    count = 2 * boxes.MOST_CANDIDATES
    left = np.arange(count, dtype=np.float32) * 20
    apart = np.stack((left, left * 0, left + 10, left * 0 + 10), axis=1)
    scores = np.linspace(0.1, 0.9, count, dtype=np.float32)
    kept = without_doubles(Finds(apart, scores, np.zeros(count, np.int64)), 0.45)
    assert len(kept.scores) == boxes.MOST_CANDIDATES
    assert kept.scores.min() == scores[boxes.MOST_CANDIDATES]
