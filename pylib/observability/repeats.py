"""A log line that is repeated again and again is counted instead: whoever causes it must not fill the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 60
"""Warnings and errors of one sentence in a minute; further ones are counted."""
MINUTE_S = 60.0
MOST_SENTENCES = 1000
"""Sentences that are remembered; beyond it the longest known is forgotten."""

Sentence = tuple[str, int, str]


class CountRepeats(logging.Filter):
    """Lets a sentence through `MOST` times a minute, and says afterwards how often it came besides. Thread-safe.

    A sentence is what a line says without its fields; one below WARNING passes always. One filter may serve several
    handlers.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: OrderedDict[Sentence, _Minute] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        passes: bool | None = getattr(record, "_passes", None)  # another handler has asked already
        if passes is None:
            passes, over = self._count(record)
            record._passes = passes
            for (logger, level, text), left_out in over:
                logging.getLogger(logger).log(level, "%s (and %d more in the last minute)", text, left_out)
        return passes

    def _count(self, record: logging.LogRecord) -> tuple[bool, list[tuple[Sentence, int]]]:
        text = str(record.msg.get("event", "") if isinstance(record.msg, dict) else record.msg)
        sentence, now = (record.name, record.levelno, text), self._clock()
        with self._lock:
            over = self._over(now)
            minute = self._minutes.setdefault(sentence, _Minute(now))
            if len(self._minutes) > MOST_SENTENCES:
                self._minutes.popitem(last=False)
            minute.count += 1
            return minute.count <= MOST, over

    def _over(self, now: float) -> list[tuple[Sentence, int]]:
        """Take out the minutes that have ended; those with something to say."""
        found = []
        while self._minutes and next(iter(self._minutes.values())).began <= now - MINUTE_S:
            sentence, minute = self._minutes.popitem(last=False)
            if minute.count > MOST:
                found.append((sentence, minute.count - MOST))
        return found


class _Minute:
    def __init__(self, began: float) -> None:
        self.began = began
        self.count = 0
