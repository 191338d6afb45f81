"""Holds back reads from a bucket that cannot be read, so that they delay no other's, and says so once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from app.pipeline.collect import ObjectRejected, ObjectUnavailable
from pylib.runtime.circuit_breaker import Breaker

log = structlog.get_logger(__name__)

FIRST_S, LONGEST_S = 1.0, 30.0
"""Seconds from a failed read of a bucket to the next one, at first and at most."""


class Gate:
    """Reads of one bucket: after one that failed one at a time, now and then, until one succeeds. Thread-safe."""

    def __init__(self, bucket: str, *, source: str, clock: Callable[[], float]) -> None:
        self._named = {"source": source, "bucket": bucket}
        self._breaker = Breaker(threshold=1, cooldown=FIRST_S, longest=LONGEST_S, clock=clock)
        self._lock = threading.Lock()
        self._failure: ObjectUnavailable | None = None
        self._failures = 0
        self._probing = False

    @property
    def problem(self) -> str:
        """Why the last read failed; empty where it did not."""
        failure = self._failure
        return str(failure) if failure else ""

    @contextmanager
    def read(self) -> Iterator[None]:
        """Around a read. Raises the last one's `ObjectUnavailable` in place of a read that has to wait."""
        probe = self._admit()
        try:
            yield
        except ObjectUnavailable as failure:
            self._failed(failure)
            raise
        except ObjectRejected:  # by a bucket that answers
            self._succeeded()
            raise
        else:
            self._succeeded()
        finally:
            if probe:
                self._probing = False

    def _admit(self) -> bool:
        """Whether the read is the one that finds out whether all is well again."""
        with self._lock:
            failure = self._failure
            if failure is None:
                return False
            if self._probing or not self._breaker.allow():
                raise ObjectUnavailable(failure.code, failure.detail)
            self._probing = True
            return True

    def _failed(self, failure: ObjectUnavailable) -> None:
        with self._lock:
            self._breaker.failed()
            first, self._failure = self._failure is None, failure
            self._failures += 1
        if first:
            log.warning("bucket cannot be read", **self._named, reason=str(failure))

    def _succeeded(self) -> None:
        if self._failure is None:
            return
        with self._lock:
            self._breaker.succeeded()
            failures, self._failures, self._failure = self._failures, 0, None
        log.info("bucket can be read again", **self._named, failed_reads=failures)


class Gates:
    """The gates of a source's buckets. Thread-safe."""

    def __init__(self, source: str, *, clock: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._gates: dict[str, Gate] = {}

    def of(self, bucket: str) -> Gate:
        """The one of this bucket."""
        with self._lock:
            if bucket not in self._gates:
                self._gates[bucket] = Gate(bucket, source=self._source, clock=self._clock)
            return self._gates[bucket]

    @property
    def problem(self) -> str:
        """Which buckets cannot be read, and why; empty when all can."""
        with self._lock:
            gates = list(self._gates.items())
        return "; ".join(f"{bucket}: {gate.problem}" for bucket, gate in gates if gate.problem)
