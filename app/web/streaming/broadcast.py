"""Broadcasts new events: one query of the record for all viewers, however many there are."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.index import EventIndex
from app.journal.entries import Entry, Filter
from app.messages import Inspection
from app.pipeline.live import InProcessEvents
from app.web.streaming.sse import PING, EventStream, encoded
from pylib.errors import Transient

log = structlog.get_logger(__name__)

PING_S = 15.0
GATHER_S = 0.5
"""Seconds between two rounds: in a burst each viewer is woken once for all events of that time."""
GATHER_FOR_EACH_S = 0.005
"""Seconds more for each viewer: a write costs the same for one event and for ten, and hundreds of viewers can wait."""
WATCH_S = 1.0
"""Seconds until a viewer who may no longer look is disconnected, where nothing happens before."""
TOLD_AT_ONCE = 10
"""Viewers that are written to in one batch."""
BREATH_S = 0.01
"""Seconds between two batches, so that hundreds of viewers do not keep the interpreter from the pipeline."""
MOST_WAITING = 256
"""Events that wait for one viewer before it is disconnected: it reconnects, and asks for what it missed."""
SENT_AT_ONCE = 20
"""Events in one write: their bytes are shared until then, and copied for each viewer."""
LOOKED_UP_AT_ONCE = 100
"""Events in one query of the record."""
PARTING_S = 0.5
"""Seconds that a viewer may take to read the end of its stream when the server stops."""

Render = Callable[[Entry], str]


class EventFormat(NamedTuple):
    """A viewer's format of events; viewers with the same one share the bytes."""

    render: Render
    event: str


class EventFrame(NamedTuple):
    """An event in one format."""

    event_id: str
    data: bytes


class Broadcast:
    """Sends everything that becomes an event to all viewers; costs nothing while there are none."""

    def __init__(self, index: EventIndex, *live: InProcessEvents) -> None:
        self._index = index
        self._live = live
        self._room: _Subscribers | None = None

    def stream(
        self,
        request: Request,
        *,
        filter: Filter,
        render: Render,
        event: str,
        may_look: Callable[[], bool] = lambda: True,
    ) -> Response:
        """The events that pass `filter`, from now on or from the one behind `Last-Event-ID` on.

        That one is named by a header, as browsers do, or by the parameter `last_event_id`. `render` makes an
        event's data, and is called in other threads, once for all viewers with the same function and `event`.
        `may_look`: whether the viewer still may; returns at once; asked before each event, and every second.
        """
        viewer = _Subscriber(filter, EventFormat(render, event), may_look)
        last = request.headers.get("last-event-id") or request.query_params.get("last_event_id", "")
        room = self._here()
        viewer.response = EventStream(room.frames(viewer, last), ended=lambda: room.leave(viewer))
        return viewer.response

    @property
    def viewers(self) -> int:
        """How many viewers there are now; from any thread."""
        room = self._room
        return room.viewers if room is not None else 0

    def close(self) -> None:
        """End all streams, and refuse new ones: the server stops. From any thread."""
        room = self._room
        if room is not None:
            with suppress(RuntimeError):  # its loop is closed already
                room.loop.call_soon_threadsafe(room.close)

    def _here(self) -> _Subscribers:
        """The viewers of this event loop: a restarted web server has another."""
        loop = asyncio.get_running_loop()
        if self._room is None or self._room.loop is not loop:
            self._room = _Subscribers(self._index, self._live, loop)
        return self._room


_PING = EventFrame("", PING)


class _Subscriber:
    def __init__(self, filter: Filter, form: EventFormat, may_look: Callable[[], bool]) -> None:
        self.filter = filter
        self.form = form
        self.may_look = may_look
        self.response: EventStream | None = None
        self._waiting: list[EventFrame] = []
        self._ending = False
        self._woken = asyncio.Event()

    @property
    def is_slow(self) -> bool:
        """Whether it reads so slowly that nothing more is queued for it."""
        return len(self._waiting) >= MOST_WAITING

    def queue(self, frame: EventFrame) -> None:
        """Queue a frame."""
        self._waiting.append(frame)
        self._woken.set()

    def end(self) -> None:
        """End its stream after all queued frames."""
        self._ending = True
        self._woken.set()

    def cut(self) -> None:
        """End its stream at once."""
        if self.response is not None:
            self.response.cut()

    async def received(self) -> list[EventFrame]:
        """The queued frames, after a wait for the first; empty at the end."""
        await self._woken.wait()
        frames, self._waiting = self._waiting[:SENT_AT_ONCE], self._waiting[SENT_AT_ONCE:]
        if not self._waiting and not self._ending:
            self._woken.clear()
        return frames


class _Subscribers:
    """All viewers of one event loop, to which everything here but `_on_event` belongs."""

    def __init__(self, index: EventIndex, live: Sequence[InProcessEvents], loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._index = index
        self._live = live
        self._viewers: set[_Subscriber] = set()
        self._received: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._deafen: Sequence[Callable[[], None]] = ()
        self._closed = False

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    async def frames(self, viewer: _Subscriber, last: str) -> AsyncGenerator[bytes, None]:
        """All bytes for this viewer: events that it missed, then new ones, with pings in between."""
        if self._closed:
            return
        self._enter(viewer)
        caught_up: deque[str] = deque(maxlen=MOST_WAITING)
        while last:
            last, missed = await run_in_threadpool(self._missed, viewer, last)
            caught_up.extend(frame.event_id for frame in missed)
            yield _joined(missed)
        while received := await viewer.received():
            yield _joined(frame for frame in received if frame.event_id not in caught_up)

    def leave(self, viewer: _Subscriber) -> None:
        self._viewers.discard(viewer)
        if not self._viewers and self._tasks:
            for end in self._deafen:
                end()
            for task in self._tasks:
                task.cancel()
            self._tasks = ()

    def close(self) -> None:
        self._closed = True
        self._end_all()

    def _enter(self, viewer: _Subscriber) -> None:
        self._viewers.add(viewer)
        if not self._tasks:
            self._received = asyncio.Queue()
            self._tasks = tuple(map(self.loop.create_task, (self._tell_on(), self._ping(), self._watch())))
            self._deafen = [live.listen(self._on_event) for live in self._live]

    def _on_event(self, inspection: Inspection) -> None:
        """Called in the relay's thread."""
        with suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(self._received.put_nowait, inspection.id)

    async def _tell_on(self) -> None:
        while True:
            ids = [await self._received.get()]
            while len(ids) < LOOKED_UP_AT_ONCE and not self._received.empty():
                ids.append(self._received.get_nowait())
            try:
                await self._tell(ids)
            except Transient as error:
                log.warning("viewers disconnected, they reconnect", reason=str(error))
                self._end_all()
            await asyncio.sleep(GATHER_S + GATHER_FOR_EACH_S * len(self._viewers))

    async def _tell(self, ids: Sequence[str]) -> None:
        forms = {viewer.form for viewer in self._viewers}
        news = await run_in_threadpool(self._looked_up, ids, forms)
        self._end_those_who_may_not()
        wanted: dict[tuple[EventFormat, Filter], list[EventFrame]] = {}
        for number, viewer in enumerate(list(self._viewers), start=1):
            wish = viewer.form, viewer.filter
            if wish not in wanted:  # most viewers want the same
                pairs = ((entry, frames.get(viewer.form)) for entry, frames in news)
                wanted[wish] = [frame for entry, frame in pairs if frame is not None and viewer.filter.matches(entry)]
            for frame in wanted[wish]:
                self._tell_one(viewer, frame)
            if number % TOLD_AT_ONCE == 0:
                await asyncio.sleep(BREATH_S)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            for viewer in list(self._viewers):
                self._tell_one(viewer, _PING)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            self._end_those_who_may_not()

    def _end_those_who_may_not(self) -> None:
        for viewer in [viewer for viewer in self._viewers if not viewer.may_look()]:
            self.leave(viewer)
            self._end(viewer)

    def _tell_one(self, viewer: _Subscriber, frame: EventFrame) -> None:
        if viewer.is_slow:
            log.info("viewer disconnected, it reads too slowly")
            self.leave(viewer)
            viewer.cut()
        else:
            viewer.queue(frame)

    def _looked_up(
        self, ids: Sequence[str], forms: Collection[EventFormat]
    ) -> list[tuple[Entry, dict[EventFormat, EventFrame]]]:
        """These events in all formats, without those that were deleted meanwhile."""
        entries = (self._index.entry(event_id) for event_id in ids)
        return [(entry, _rendered(entry, forms)) for entry in entries if entry is not None]

    def _missed(self, viewer: _Subscriber, last: str) -> tuple[str, list[EventFrame]]:
        """The events after `last`, and the one after which to ask again; empty at the end."""
        entries = self._index.inspected_after(last, limit=LOOKED_UP_AT_ONCE)
        wanted = (entry for entry in entries if viewer.filter.matches(entry))
        frames = [frame for entry in wanted for frame in _rendered(entry, [viewer.form]).values()]
        return entries[-1].id if entries else "", frames

    def _end_all(self) -> None:
        for viewer in list(self._viewers):
            self._end(viewer)

    def _end(self, viewer: _Subscriber) -> None:
        viewer.end()
        self.loop.call_later(PARTING_S, viewer.cut)


def _joined(frames: Iterable[EventFrame]) -> bytes:
    return b"".join(frame.data for frame in frames)


def _rendered(entry: Entry, forms: Collection[EventFormat]) -> dict[EventFormat, EventFrame]:
    """The event in all formats that can be made of it."""
    frames = {}
    for form in forms:
        try:
            data = encoded(entry.id, event=form.event, data=form.render(entry))
        except Exception:  # one format that fails must not cost the others the event
            log.exception("event cannot be shown", event_id=entry.id)
            continue
        frames[form] = EventFrame(entry.id, data)
    return frames
