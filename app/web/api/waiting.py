"""Waits for the outcome of a trigger or an upload."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType

from app.messages import Inspection
from app.pipeline.live import InProcessEvents


class EventWait:
    """Notes the events that come while it is open; open it before what it waits for is begun."""

    def __init__(self, live: InProcessEvents) -> None:
        self._live = live
        self._loop = asyncio.get_running_loop()
        self._seen: set[str] = set()
        self._news = asyncio.Event()

    def __enter__(self) -> EventWait:
        self._end = self._live.listen(self._on_event)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._end()

    async def until(self, event_id: str, seconds: float) -> None:
        """Return when this event has come, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while event_id not in self._seen:
                    self._news.clear()
                    await self._news.wait()

    def _on_event(self, inspection: Inspection) -> None:
        """Called in the relay's thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._note, inspection.id)

    def _note(self, event_id: str) -> None:
        self._seen.add(event_id)
        self._news.set()
