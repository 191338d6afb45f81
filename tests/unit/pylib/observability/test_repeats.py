"""Who causes the same log line again and again does not fill the disk with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from pylib.observability import repeats
from pylib.observability.repeats import MOST, CountRepeats
from tests.fakes.clock import Clock


class Lines(logging.Handler):
    """Keeps what gets through."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def lines(clock: Clock) -> Iterator[tuple[Lines, Lines]]:
    """Two handlers with one filter, as stderr and syslog."""
    both, counting, root = (Lines(), Lines()), CountRepeats(clock=clock), logging.getLogger()
    for handler in both:
        handler.addFilter(counting)
        root.addHandler(handler)
    yield both
    for handler in both:
        root.removeHandler(handler)


LOG = logging.getLogger("tests.repeats")


def test_repeated_lines_are_counted_and_the_count_is_told(lines: tuple[Lines, Lines], clock: Clock) -> None:
    for number in range(MOST + 312):
        LOG.warning("connection refused by %s", number)
    assert lines[0].lines == [f"connection refused by {number}" for number in range(MOST)]
    clock.now += 60
    LOG.warning("something else")
    assert lines[0].lines[MOST:] == ["connection refused by %s (and 312 more in the last minute)", "something else"]
    assert lines[1].lines == lines[0].lines


def test_after_the_minute_it_is_told_again(lines: tuple[Lines, Lines], clock: Clock) -> None:
    for _ in range(3):
        for _ in range(MOST):
            LOG.error("broken")
        clock.now += 60
    assert lines[0].lines == ["broken"] * 3 * MOST


def test_other_sentences_and_what_is_no_warning_pass(lines: tuple[Lines, Lines]) -> None:
    LOG.setLevel(logging.INFO)
    for _ in range(MOST + 1):
        LOG.warning({"event": "refused", "camera": "yard"})
        LOG.info("taken")
    LOG.warning({"event": "lost"})
    assert len(lines[0].lines) == MOST + MOST + 1 + 1


def test_each_camera_target_and_server_is_counted_for_itself(lines: tuple[Lines, Lines], clock: Clock) -> None:
    for field in ("camera", "target", "server"):
        for number in range(100):
            LOG.warning({"event": "silent", field: f"{field} {number}"})
    assert len(lines[0].lines) == 300
    for _ in range(MOST + 1):
        LOG.warning({"event": "silent", "camera": "yard", "address": "10.0.0.1"})
    clock.now += 60
    LOG.warning("something else")
    assert lines[0].lines[-2:] == ["silent: yard (and 1 more in the last minute)", "something else"]


def test_the_count_is_told_by_the_next_line_whatever_it_is(lines: tuple[Lines, Lines], clock: Clock) -> None:
    LOG.setLevel(logging.INFO)
    for _ in range(MOST + 5):
        LOG.warning("broken")
    clock.now += 60
    LOG.info("taken")
    assert lines[0].lines[MOST:] == lines[1].lines[MOST:] == ["broken (and 5 more in the last minute)", "taken"]


def test_sentences_without_end_cost_no_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST_SENTENCES", 10)
    counting = CountRepeats(clock=clock)
    for number in range(100):
        counting.filter(logging.LogRecord("x", logging.WARNING, "", 0, f"{number}", (), None))
    assert len(counting._minutes) == 10


def test_cameras_without_end_are_counted_together_and_what_is_forgotten_is_told(
    lines: tuple[Lines, Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "MOST_SENTENCES", 10)
    for _ in range(MOST + 3):
        LOG.warning("broken")
    for number in range(1000):
        LOG.warning({"event": "silent", "camera": f"{number}"})
    assert "broken (and 3 more in the last minute)" in lines[0].lines
    assert len([line for line in lines[0].lines if "silent" in line]) == 9 + MOST
