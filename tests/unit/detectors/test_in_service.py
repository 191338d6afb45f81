"""A detector that is away is left in peace, and is noticed soon when it is back."""

from __future__ import annotations

import pytest

from app.detectors import DetectorUnavailable, Question
from app.detectors.in_service import InService
from pylib.runtime.circuit_breaker import State
from tests.fakes.detectors import PERSON, FakeDetector

AWAY = DetectorUnavailable("unreachable", "not there")


def test_however_long_it_was_away_it_is_asked_again_within_half_a_minute() -> None:
    service = InService(FakeDetector(*[AWAY] * 12, PERSON))
    breaker = service._breaker
    for _ in range(12):
        with pytest.raises(DetectorUnavailable):
            service.look(b"picture", Question())
        assert breaker.retry_in <= 30
        breaker.probe_now()
    assert service.look(b"picture", Question()).detection == PERSON
    assert breaker.state is State.CLOSED
