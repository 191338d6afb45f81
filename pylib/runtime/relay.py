"""Relays: threads that run stages and sources, and carry messages between them over ZeroMQ."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic

import structlog
import zmq

from pylib import tracing
from pylib.errors import Transient
from pylib.runtime.bell import Bell
from pylib.runtime.keyed_pool import KeyedPool
from pylib.runtime.stage import M, Meter, PausableSource, Source, Stage
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)


POLL_MS = 200
"""How long a feeder waits for its source: nothing wakes it when it is to stop."""
IDLE_MS = 1000
"""How long a relay waits, at most: bells wake it before."""
FLUSH_POLL_MS = 10
WORKER_STALL_S = 300.0
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 15.0
BUSY = 100
"""Messages in hand that keep the workers busy for now: the record, which would name them again, need not be asked."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Encodes messages as bytes between threads. Frames never leave the process."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


class ZmqRelay(ManagedThread, Generic[M]):
    """Runs one stage: owns its thread, its sockets and its worker pool, and survives what the stage raises.

    Messages are pulled from `source`, an `inproc://` address that this relay binds, and results are pushed to
    every address in `sinks`. Workers hand their results to the relay's thread: a socket has one owner, and a
    PUSH socket for each worker would lose the order of a key, since PULL takes turns between its senders.
    The sockets belong to the object: they outlive a crash of the thread, and so do the messages queued in them.
    """

    def __init__(
        self,
        name: str,
        stage: Stage[M],
        *,
        context: zmq.Context[zmq.Socket[bytes]],
        codec: Codec,
        source: str,
        sinks: Sequence[str] = (),
        route: Callable[[Any], Collection[str]] | None = None,
        key: Callable[[M], str],
        identity: Callable[[M], str],
        workers: int = 1,
        max_waiting: int | None = None,
        pending_every: float = 1.0,
        longest: float = WORKER_STALL_S,
        niceness: int = 0,
        meter: Meter | None = None,
        around: Callable[[M], AbstractContextManager[object]] = lambda _message: nullcontext(),
    ) -> None:
        """`route`: those of the sinks that a result goes to; to all of them unless given.

        `workers`: messages handled at once; 0 for a stage that returns at once, called in the relay's thread.

        `max_waiting`: messages of one key that may wait before further ones are shed. `pending_every`: seconds
        between two queries for pending messages.

        `longest`: seconds after which a worker at one attempt counts as stuck. `niceness`: how far its workers let
        other threads go first (0..19). `around`: what is around the work on a message, in a worker's thread.
        """
        super().__init__(name)
        self.stage = stage
        self._context = context
        self._codec = codec
        self._source = source
        self._sinks = tuple(sinks)
        self._route = route or (lambda _result: self._sinks)
        self._key = key
        self._identity = identity
        self._max_waiting = max_waiting
        self._pending_every = pending_every
        self._longest = longest
        self._meter = meter
        self._around = around
        self._pull: zmq.Socket[bytes] | None = None
        self._push: dict[str, zmq.Socket[bytes]] = {}
        self._results: deque[tuple[bytes, Collection[str]]] = deque()
        self._bell = Bell()
        self._poller = zmq.Poller()
        self._pool = KeyedPool(name, workers=workers, niceness=niceness)
        self._in_hand: set[str] = set()
        self._resumed: set[str] = set()
        self._running: dict[str, float] = {}  # identity -> monotonic start of the attempt
        self._in_hand_lock = threading.Lock()
        self._recheck_now = threading.Event()
        self._abandoning = threading.Event()

    @property
    def in_hand(self) -> int:
        """Messages accepted and not yet finished."""
        return len(self._in_hand)

    @property
    def waiting(self) -> int:
        """Messages accepted that no worker has begun."""
        with self._in_hand_lock:
            return len(self._in_hand - self._running.keys())

    @property
    def stuck(self) -> bool:
        """Also when a worker has been at one attempt for longer than any adapter may take."""
        with self._in_hand_lock:
            began = min(self._running.values(), default=time.monotonic())
        return super().stuck or time.monotonic() - began > self._longest

    def recheck(self) -> None:
        """Ask the stage now for pending messages; from any thread, when a target is reachable again."""
        self._recheck_now.set()
        self._bell.ring()

    def stop(self) -> None:
        super().stop()
        self._bell.ring()

    def abandon(self) -> None:
        """After `stop`: end without draining; unfinished messages are in the record resumed at the next start."""
        self._abandoning.set()

    def run(self) -> None:
        if self._pull is None:
            self._connect()
            self.stage.open()
        next_check, more = 0.0, False
        while not self.stopping.is_set():
            self.beat()
            until_check = max(0.0, next_check - time.monotonic()) * 1000
            self._exchange(FLUSH_POLL_MS if more else min(IDLE_MS, math.ceil(until_check)))
            if self._recheck_now.is_set() or time.monotonic() >= next_check or (more and not self._in_hand):
                self._recheck_now.clear()
                if len(self._in_hand) < BUSY:
                    more = self._accept_pending()
                next_check = time.monotonic() + self._pending_every
        self._drain()

    def _connect(self) -> None:
        self._push = {sink: connect(self._context, sink) for sink in self._sinks}
        self._pull = self._context.socket(zmq.PULL)
        # No mark: messages only name what the record holds, and the sources limit how many are in flight.
        self._pull.set_hwm(0)
        self._pull.linger = 0
        self._pull.bind(self._source)
        self._poller.register(self._pull, zmq.POLLIN)
        self._poller.register(self._bell.fileno(), zmq.POLLIN)

    def _exchange(self, wait_ms: int) -> None:
        """Receive all messages that have come and send all results, waiting for the first."""
        ready = dict(self._poller.poll(wait_ms))
        if self._bell.fileno() in ready:
            self._bell.silence()
        self._send_results()
        assert self._pull is not None  # noqa: S101 - connected before the loop
        if self._pull in ready:
            # Asking is cheaper than a receive that fails: it does not release the interpreter.
            while int(self._pull.get(zmq.EVENTS)) & zmq.POLLIN:
                self._accept(self._codec.decode(self._pull.recv(zmq.NOBLOCK)))

    def _send_results(self) -> None:
        while self._results:
            frame, sinks = self._results.popleft()
            for sink in sinks:
                self._push[sink].send(frame)

    def _accept_pending(self) -> bool:
        """Accept the record's pending messages; returns whether there were new ones."""
        with self._in_hand_lock:
            held = set(self._in_hand)  # a message that is finished during the query is still in its result
        try:
            pending = list(self.stage.pending())
        except Transient as error:
            log.warning("cannot read pending messages", stage=self.name, reason=str(error))
            return False
        fresh = [message for message in pending if self._identity(message) not in held]
        for message in fresh:
            self._accept(message)
        # The same ones again mean that their outcome could not be recorded: no reason to hurry.
        before, self._resumed = self._resumed, {self._identity(message) for message in fresh}
        return not self._resumed <= before

    def _accept(self, message: M) -> None:
        key = self._key(message)
        with self._in_hand_lock:
            self._in_hand.add(self._identity(message))
        full = self._max_waiting is not None and self._pool.waiting(key) >= self._max_waiting
        if full and self.stage.may_shed(message):
            self._pool.submit(f"{key}\0shed", lambda: self._work(message, self.stage.shed))
        else:
            self._pool.submit(key, lambda: self._work(message, self.stage.handle))

    def _work(self, message: M, handle: Callable[[M], Iterable[object]]) -> None:
        """One message from beginning to end, in a worker thread."""
        with self._around(message):
            self._finish(message, handle)

    def _finish(self, message: M, handle: Callable[[M], Iterable[object]]) -> None:
        began = time.monotonic()
        outcome = "error"
        if self._meter:
            self._meter.started()
        try:
            results = self._handled(message, handle)
            if results and self._sinks:
                self._results.extend([(self._codec.encode(result), self._route(result)) for result in results])
                self._bell.ring()
            outcome = "ok"
        except Transient as error:
            outcome = "put_off"
            tracing.failed(str(error))
            log.info("postponed until the next start", stage=self.name, reason=str(error))
        except Exception:
            tracing.failed("internal_error")
            log.exception("unexpected error, message given up", stage=self.name, message=self._identity(message))
        finally:
            with self._in_hand_lock:
                self._in_hand.discard(self._identity(message))
                self._running.pop(self._identity(message), None)
            if self._meter:
                self._meter.finished(outcome, time.monotonic() - began)

    def _handled(self, message: M, handle: Callable[[M], Iterable[object]]) -> list[object]:
        """The stage's result, retried as long as this process cannot do its part."""
        delay = RETRY_FIRST_S
        while True:
            with self._in_hand_lock:
                self._running[self._identity(message)] = time.monotonic()
            try:
                return list(handle(message))
            except Transient as error:
                log.warning("trying again", stage=self.name, reason=str(error), seconds=delay)
                if self.stopping.wait(delay):
                    raise
                delay = min(delay * 2, RETRY_LAST_S)

    def _drain(self) -> None:
        """Finish what was received, unless it is to be abandoned, and close what this relay owns."""
        # Upstream threads have ended: their messages are in the socket, and a stop must not overtake them.
        self._exchange(0)
        while self._pool.busy and not self._abandoning.is_set():
            self.beat()
            self._exchange(FLUSH_POLL_MS)
        self._pool.close(abandon=self._abandoning.is_set())
        self._pool.join(timeout=self.stall_after)
        self._send_results()
        self.stage.close()
        for socket in (self._pull, *self._push.values()):
            if socket is not None:
                socket.close()
        self._bell.close()


class ZmqFeeder(ManagedThread):
    """Runs one source: polls it and pushes its messages to `sink`."""

    def __init__(
        self,
        name: str,
        source: Source,
        *,
        context: zmq.Context[zmq.Socket[bytes]],
        codec: Codec,
        sink: str,
    ) -> None:
        super().__init__(name)
        self.source = source
        self._context = context
        self._codec = codec
        self._sink = sink

    def pause(self) -> None:
        if isinstance(self.source, PausableSource):
            self.source.pause()

    def run(self) -> None:
        push = connect(self._context, self._sink)
        try:
            while not self.stopping.is_set():
                self.beat()
                for message in self.source.poll(POLL_MS / 1000):
                    self._send(push, self._codec.encode(message))
        finally:
            push.close()
        self.source.close()

    def _send(self, push: zmq.Socket[bytes], frame: bytes) -> None:
        """Send it, however long that takes; once this is to stop, only if somebody takes it."""
        while not push.poll(POLL_MS, zmq.POLLOUT):
            self.beat()
            if self.stopping.is_set():
                return
        push.send(frame, zmq.NOBLOCK)


class Transport:
    """The ZeroMQ context of a process, and the relays and feeders that share it."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=0)  # inproc needs none

    def relay(self, name: str, stage: Stage[M], **options: Any) -> ZmqRelay[M]:
        """A relay of this process; `options` are those of `ZmqRelay`."""
        return ZmqRelay(name, stage, context=self.context, codec=self.codec, **options)

    def feeder(self, name: str, source: Source, *, sink: str) -> ZmqFeeder:
        """A feeder of this process."""
        return ZmqFeeder(name, source, context=self.context, codec=self.codec, sink=sink)

    def close(self) -> None:
        """Terminate the context; only when every relay and feeder has ended, or it would wait for their sockets."""
        self.context.term()


def connect(context: zmq.Context[zmq.Socket[bytes]], address: str) -> zmq.Socket[bytes]:
    """A PUSH socket for the calling thread, without a mark and with a short bounded linger."""
    push = context.socket(zmq.PUSH)
    push.set_hwm(0)
    push.linger = 1000
    push.connect(address)
    return push
