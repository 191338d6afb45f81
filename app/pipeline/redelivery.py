"""Recognises triggers that were recorded before and are only delivered again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

from app.journal import Journal
from app.messages import Trigger

LEFTOVERS_S = 3600.0
"""Seconds after a connection's first acknowledgement by which the broker has redelivered all that earlier connections
left: it notices within two heartbeats (of 600 s at most) that they are gone, and requeues their messages first."""


class Redeliveries:
    """Tells a redelivered trigger of one source from a new one that looks the same.

    A key made of a message id names one trigger for ever. A key made of the body does not: a sensor whose
    clock stands still sends the same body each time. So such a key counts only when the broker reports a
    redelivery, each record accounts for one redelivery a session, and the key is deleted once the broker is
    known to have processed the acknowledgement. A record of an earlier connection that was not redelivered soon
    after the next one began had been acknowledged after all, so its key is deleted, too: it would swallow a
    redelivery of the same body months later. All methods may be called from any thread.
    """

    def __init__(self, journal: Journal, origin: str, *, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._origin = origin
        self._clock = clock
        self._began: tuple[str, float] = ("", 0.0)  # session, and when it was first seen
        self._tidied = ""  # the session for which keys of earlier ones were deleted
        self._lock = threading.Lock()
        self._claimed: dict[str, set[str]] = {}  # session -> ids of records that a redelivery was matched with
        self._unsettled: dict[str, str] = {}  # receipt -> id of the record whose key can be deleted

    def seen(self, trigger: Trigger) -> bool:
        """Whether this delivery's trigger is recorded already."""
        if not trigger.key:
            # Its source does not repeat it, but the journal may have named it before its message came.
            return self._journal.find(trigger.id) is not None
        if trigger.key.startswith("id:"):
            return bool(self._journal.recorded(trigger.key))
        return trigger.redelivered and self._claim(trigger)

    def recorded(self, trigger: Trigger) -> None:
        """This trigger's outcome is in the journal."""
        if trigger.receipt and trigger.key.startswith("sha:"):
            with self._lock:
                self._unsettled[trigger.receipt] = trigger.id

    def settled(self, receipts: Collection[str]) -> None:
        """The broker has processed these acknowledgements."""
        with self._lock:
            ids = [self._unsettled.pop(receipt) for receipt in receipts if receipt in self._unsettled]
            # Receipts end with their connection: messages of an earlier one are redelivered.
            sessions = {_session(receipt) for receipt in receipts}
            self._unsettled = {r: i for r, i in self._unsettled.items() if _session(r) in sessions}
        if ids:
            self._journal.forget_keys(ids)
        for session in sessions:
            self._forget_leftovers(session)

    def _forget_leftovers(self, session: str) -> None:
        now = self._clock()
        with self._lock:
            if self._began[0] != session:
                self._began = (session, now)
            due = self._tidied != session and now - self._began[1] >= LEFTOVERS_S
            if due:
                self._tidied = session
        if due:
            self._journal.forget_body_keys(self._origin, before=self._began[1])

    def _claim(self, trigger: Trigger) -> bool:
        records = self._journal.recorded(trigger.key)
        session = _session(trigger.receipt)
        with self._lock:
            if session not in self._claimed:
                self._claimed = {session: set()}  # what an earlier connection was sent no longer counts
            claimed = self._claimed[session]
            free = next((record for record in records if record not in claimed), None)
            if free is None:
                return False
            claimed.add(free)
            self._unsettled[trigger.receipt] = free
        return True


def _session(receipt: str) -> str:
    """The part of a receipt that names the connection it belongs to."""
    return receipt.partition(":")[0]
