"""A thread pool that works on many keys at once, but on one job at a time for each key, in order."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]
Task = tuple[str, Job]
Inbox = queue.SimpleQueue[Task | None]
"""Where one idle thread waits for its next task, or for None, which ends it."""


class KeyedPool:
    """Runs jobs in at most `workers` threads, started as they are needed; with none, in the thread that submits.

    Jobs of one key run one after another in the order of `submit`; no key waits for another as long as a
    thread is free. `submit`, `waiting` and `close` may be called from any thread. A job must not raise:
    one that does ends its thread, which is replaced.
    """

    def __init__(self, name: str, *, workers: int, niceness: int = 0) -> None:
        """`niceness`: how far its threads let others go first (0..19)."""
        self.name = name
        self.workers = workers
        self._niceness = niceness
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._waiting: dict[str, deque[Job]] = {}  # a key is here while a job of it is ready or running
        self._ready: deque[Task] = deque()  # waiting for a thread
        self._idle: list[Inbox] = []
        self._threads: set[threading.Thread] = set()
        self._started = 0
        self._closing = False

    def submit(self, key: str, job: Job) -> None:
        """Run `job` after all earlier jobs of `key`."""
        if not self.workers:
            job()
            return
        with self._lock:
            behind = self._waiting.get(key)
            if behind is not None:
                behind.append(job)
                return
            self._waiting[key] = deque()
            if self._idle:
                # To the one that became idle last: its memory is still warm, and the others' need never be used.
                self._idle.pop().put((key, job))
            elif len(self._threads) < self.workers:
                self._start_thread((key, job))
            else:
                self._ready.append((key, job))

    def waiting(self, key: str) -> int:
        """How many jobs of this key wait behind the one that is ready or running."""
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
                for key, _ in self._ready:
                    del self._waiting[key]
                self._ready.clear()
                self._waiting = {key: deque() for key in self._waiting}
            self._dismiss_when_done()

    def join(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the threads to end after `close`; returns whether they did."""
        with self._lock:
            return self._ended.wait_for(lambda: not self._threads, timeout)

    def _start_thread(self, task: Task) -> None:
        self._started += 1
        name = f"{self.name}-{self._started}"
        thread = threading.Thread(target=self._work, args=(task,), name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self, first: Task) -> None:
        inbox: Inbox = queue.SimpleQueue()
        task: Task | None = first
        if self._niceness:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._niceness)
        try:
            while task is not None:
                key, job = task
                try:
                    job()
                finally:
                    self._finished(key)
                task = self._next(inbox)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                if self._ready:  # a job killed this thread: others must not wait for the next submit
                    self._start_thread(self._ready.popleft())
                self._ended.notify_all()

    def _finished(self, key: str) -> None:
        with self._lock:
            behind = self._waiting[key]
            if behind:
                self._ready.append((key, behind.popleft()))
            else:
                del self._waiting[key]

    def _next(self, inbox: Inbox) -> Task | None:
        with self._lock:
            if self._ready:
                return self._ready.popleft()
            self._idle.append(inbox)
            self._dismiss_when_done()
        return inbox.get()

    def _dismiss_when_done(self) -> None:
        if self._closing and not self._waiting:
            while self._idle:
                self._idle.pop().put(None)
