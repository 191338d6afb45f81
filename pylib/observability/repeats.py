"""A log line that is repeated again and again is counted instead: whoever causes it must not fill the disk."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 60
"""Warnings and errors of one sentence about one subject in a minute; further ones are counted."""
MINUTE_S = 60.0
MOST_SENTENCES = 1000
"""Sentences and their subjects that are remembered; beyond it all subjects are one, and the longest known is told."""
SUBJECTS = ("camera", "target", "server")
"""Fields that say what a line is about."""
LONGEST_SUBJECT = 200

Sentence = tuple[str, int, str, str]
"""Logger, level, text and subject."""


class CountRepeats(logging.Filter):
    """Lets a sentence through `MOST` times a minute, and says afterwards how often it came besides. Thread-safe.

    A sentence is what a line says without its fields, apart from the one that it is about; one below WARNING passes
    always. One filter may serve several handlers.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: OrderedDict[Sentence, _Minute] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        passes: bool | None = getattr(record, "_passes", None)  # another handler has asked already
        if passes is None:
            passes, over = self._count(record)
            record._passes = passes
            _tell(over)
        return passes

    def flush(self) -> None:
        """Say what is counted and not told yet."""
        with self._lock:
            over = self._over(math.inf)
        _tell(over)

    def _count(self, record: logging.LogRecord) -> tuple[bool, list[tuple[Sentence, int]]]:
        now = self._clock()
        with self._lock:
            over = self._over(now)
            if record.levelno < logging.WARNING:
                return True, over
            sentence = _sentence(record)
            if sentence not in self._minutes and len(self._minutes) >= MOST_SENTENCES:
                sentence = (*sentence[:3], "")
            minute = self._minutes.setdefault(sentence, _Minute(now))
            if len(self._minutes) > MOST_SENTENCES:
                over += self._take_out()
            minute.count += 1
            return minute.count <= MOST, over

    def _over(self, now: float) -> list[tuple[Sentence, int]]:
        """Take out the minutes that have ended; those with something to say."""
        found = []
        while self._minutes and next(iter(self._minutes.values())).began <= now - MINUTE_S:
            found += self._take_out()
        return found

    def _take_out(self) -> list[tuple[Sentence, int]]:
        """Take out the longest known minute; it, if it has something to say."""
        sentence, minute = self._minutes.popitem(last=False)
        return [(sentence, minute.count - MOST)] if minute.count > MOST else []


def _sentence(record: logging.LogRecord) -> Sentence:
    if not isinstance(record.msg, dict):
        return record.name, record.levelno, str(record.msg), ""
    named = [value for field in SUBJECTS if isinstance(value := record.msg.get(field), str)]
    return record.name, record.levelno, str(record.msg.get("event", "")), ", ".join(named)[:LONGEST_SUBJECT]


def _tell(over: list[tuple[Sentence, int]]) -> None:
    for (logger, level, text, subject), left_out in over:
        about = f"{text}: {subject}" if subject else text
        line = "%s (and %d more in the last minute)"
        logging.getLogger(logger).log(level, line, about, left_out, extra={"_passes": True})


class _Minute:
    def __init__(self, began: float) -> None:
        self.began = began
        self.count = 0
