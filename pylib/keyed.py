"""A pool of threads that works on many keys at once, but on one job at a time for each key, in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class KeyedPool:
    """Runs jobs in at most `workers` threads, started as they are needed.

    Jobs of one key run one after another in the order of `submit`; no key waits for another as long as a
    thread is free. `submit`, `waiting` and `close` may be called from any thread. A job must not raise:
    one that does ends its thread, which the next `submit` replaces.
    """

    def __init__(self, name: str, *, workers: int) -> None:
        self.name = name
        self.workers = workers
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._ready: deque[tuple[str, Job]] = deque()
        self._waiting: dict[
            str, deque[Job]
        ] = {}  # a key stands here while one of its jobs is ready or running
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._started = 0
        self._closing = False

    def submit(self, key: str, job: Job) -> None:
        """Run `job` after all earlier jobs of `key`."""
        with self._lock:
            queue = self._waiting.get(key)
            if queue is not None:
                queue.append(job)
                return
            self._waiting[key] = deque()
            self._ready.append((key, job))
            if self._idle >= len(self._ready):
                self._changed.notify()
            elif len(self._threads) < self.workers:
                self._start_thread()

    def waiting(self, key: str) -> int:
        """How many jobs of this key stand behind the one that is ready or running."""
        with self._lock:
            return len(self._waiting.get(key, ()))

    @property
    def busy(self) -> bool:
        """Whether any job is ready or running."""
        with self._lock:
            return bool(self._waiting)

    def close(self, *, abandon: bool) -> None:
        """End the threads: when everything submitted is done, or with `abandon` after what is running now."""
        with self._lock:
            self._closing = True
            if abandon:
                self._ready.clear()
                self._waiting = {key: deque() for key in self._waiting}
            self._changed.notify_all()

    def join(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the threads to end after `close`; says whether they did."""
        with self._lock:
            return self._changed.wait_for(lambda: not self._threads, timeout)

    def _start_thread(self) -> None:
        self._started += 1
        thread = threading.Thread(target=self._work, name=f"{self.name}-{self._started}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._run(*job)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                if self._ready and not self._idle:
                    self._start_thread()  # a job killed this thread: others must not wait for the next submit
                self._changed.notify_all()

    def _next(self) -> tuple[str, Job] | None:
        with self._lock:
            while not self._ready:
                if self._closing and not any(self._waiting.values()):
                    return None
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
            return self._ready.popleft()

    def _run(self, key: str, job: Job) -> None:
        try:
            job()
        finally:
            with self._lock:
                queue = self._waiting.get(key)
                if queue:
                    self._ready.append((key, queue.popleft()))
                else:
                    self._waiting.pop(key, None)
                if self._closing:
                    self._changed.notify_all()
