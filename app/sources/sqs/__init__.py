"""Objects in buckets, as a queue of SQS announces them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from urllib.parse import urlsplit

import structlog

from app.messages import ObjectCreated
from app.pipeline.collect import ObjectContent
from app.sources import SourceContext
from app.sources.buckets import reading
from app.sources.buckets.cameras import WatchedObjects
from app.sources.buckets.notifications import parse
from app.sources.buckets.reading import ObjectStore
from app.sources.sqs.checking import check
from app.sources.sqs.in_hand import InHand
from app.sources.sqs.queue import Message, Queue
from app.sources.sqs.settings import SqsSettings, region_of
from pylib.aws.calls import CODES as AWS_CODES
from pylib.aws.calls import AwsFailure
from pylib.aws.policy import Statement, partition
from pylib.errors import Failure, Permanent, Transient
from pylib.net.deadline import within
from pylib.runtime.reconnection import Reconnection

log = structlog.get_logger(__name__)

IDLE_WAIT_S, BUSY_WAIT_S = 5, 1
"""Seconds that a call waits for messages: while nothing is in hand, and else, so that what is done is deleted soon."""
LET_GO_S = 3.0
"""Seconds at the end for deleting messages, and for making the others visible again."""
PUT_OFF_S = 1800
"""Seconds until a message comes again whose object cannot be read, where too many of those are in hand already."""

CODES = {
    **AWS_CODES,
    "not_found": ("There is no such queue.", "correct `queue_url`: its region, account and name"),
    "internal_error": (
        "Something in the service itself went wrong with this message. The log says more.",
        "report it, with the traceback from the log",
    ),
}
"""Code -> what happened, and what to do about it."""


class Sqs:
    """Receives messages and brings their objects; each message is deleted when all of its objects are recorded.

    While they are worked on or cannot be read, their messages stay invisible: an outage moves none to dead letters.
    """

    title = "an object in a bucket, over SQS"
    queued = True
    Settings = SqsSettings

    def __init__(self, settings: SqsSettings, context: SourceContext) -> None:
        self._settings = settings
        self._context = context
        self._queue = Queue(settings, beat=lambda: self.thread.beat())
        self._store = ObjectStore(settings, source=context.name)
        self._watched = WatchedObjects(settings, cameras=context.cameras)
        self._in_hand = InHand(visibility=settings.visibility, size=settings.max_in_hand)
        self._reconnection = Reconnection(broker=urlsplit(settings.queue_url).hostname or "", thread=context.name)
        self._next_try = 0.0
        self._trouble = "not asked yet"
        self._rejected = ""
        self._paused = False
        self.thread = context.object_feeder(self)

    # -- for the collect stage and health, from any thread -----------------------------------------

    def read(self, found: ObjectCreated) -> ObjectContent:
        """What is in an object; see `app.pipeline.collect.ObjectReader`."""
        return self._store.read(found)

    def acknowledge(self, receipt: str) -> None:
        """The object is recorded; its message is deleted by the feeder's thread."""
        self._in_hand.done(receipt)

    def retry(self, receipt: str, *, after: float) -> None:
        """Bring it again; its message stays in hand."""
        self._in_hand.retry(receipt, after=after)

    @property
    def connected(self) -> bool:
        """Whether the queue and the buckets answered the last time."""
        return not (self._trouble or self._store.problem)

    @property
    def problem(self) -> str:
        """Why messages cannot come now, which buckets cannot be read, or which messages were rejected."""
        return "; ".join(filter(None, (self._trouble, self._store.problem))) or self._rejected

    # -- in the feeder's thread --------------------------------------------------------------------

    def poll(self, timeout: float) -> Iterable[ObjectCreated]:
        """Objects that have come, and those whose time for another attempt has."""
        due = [] if self._paused else self._in_hand.due()
        if time.monotonic() < self._next_try:
            self.thread.stopping.wait(timeout)
            return due
        try:
            return [*due, *self._exchanged(timeout, due=len(due))]
        except AwsFailure as failure:
            error = (Transient if failure.passes else Permanent)(failure.code, failure.sentence)
            self._next_try = time.monotonic() + self._reconnection.lost(error)
            self._trouble = str(error)
            return due

    def pause(self) -> None:
        """Bring nothing more; from any thread."""
        self._paused = True

    def close(self) -> None:
        """Delete what is settled; the rest comes again with the next start, at once."""
        try:
            with within(LET_GO_S):
                self._delete_settled()
                self._queue.extend(self._in_hand.let_go(), seconds=0)
        except AwsFailure as failure:
            log.info("messages come again later", source=self._context.name, reason=failure.sentence)
        self._queue.close()
        self._store.close()

    def _exchanged(self, timeout: float, *, due: int) -> list[ObjectCreated]:
        """Tell the queue what is done, and receive. Raises `AwsFailure`."""
        self._reconnection.begins()
        # First what does harm when it is late, whatever the login may not do.
        self._in_hand.extended(self._queue.extend(self._in_hand.expiring()))
        self._in_hand.gone(self._queue.extend(self._in_hand.put_off(), seconds=PUT_OFF_S))
        self._delete_settled()
        if self._paused or self._in_hand.objects - due >= self._settings.max_in_hand:
            self.thread.stopping.wait(timeout)
            return []
        messages = self._queue.receive(wait=0 if due else BUSY_WAIT_S if len(self._in_hand) else IDLE_WAIT_S)
        if self._trouble:
            self._trouble = ""
            self._reconnection.connected()
        if self._paused:
            self._queue.extend({one.id: one.handle for one in messages}, seconds=0)
            return []
        return [found for message in messages for found in self._objects_of(message)]

    def _delete_settled(self) -> None:
        self._in_hand.deleted(self._queue.delete(self._in_hand.settled()))

    def _objects_of(self, message: Message) -> Sequence[ObjectCreated]:
        try:
            found = [
                created
                for one in parse(message.body, in_part=partial(self._remember, message))
                if (created := self._watched.created(one, origin=self._context.name, redelivered=message.receives > 1))
            ]
        except Permanent as error:
            self._reject(message, error)
            return []
        except Exception as error:
            log.exception("unexpected error, message rejected", source=self._context.name, message=message.id)
            self._reject(message, Permanent("internal_error", type(error).__name__))
            return []
        return self._in_hand.take(message.id, message.handle, found)

    # -- messages that are no events ---------------------------------------------------------------

    def _reject(self, message: Message, error: Permanent) -> None:
        """Remember it with its reason. It is left alone, and comes again, until it has come too often."""
        try:
            if self._remember(message, error) and message.receives >= self._settings.max_receives:
                self._set_aside(message, str(error))
        except AwsFailure as failure:
            log.warning("message not set aside", source=self._context.name, message=message.id, reason=str(failure))

    def _remember(self, message: Message, error: Permanent) -> bool:
        """Remember why a message, or a part of it, is no event; whether that could be done."""
        name, journal = self._context.name, self._context.journal
        try:
            if journal.reject_message(name, message.id, str(error)):
                self._context.count(name, error.code)
                log.warning("message rejected", source=name, message=message.id, reason=str(error))
            rejected = journal.rejected_messages(name)
        except Failure as failure:
            log.warning("rejected message not remembered", source=name, message=message.id, reason=str(failure))
            return False
        self._rejected = f"connected; messages that were no events: {rejected.count}, the last: {rejected.reason}"
        return True

    def _set_aside(self, message: Message, reason: str) -> None:
        """Raises `AwsFailure`."""
        if self._settings.dead_letter_queue:
            self._queue.set_aside(message, reason)
        elif self._queue.redrives:
            return
        else:
            log.error("message deleted", source=self._context.name, message=message.id, reason=reason)
        self._in_hand.take(message.id, message.handle, [])

    check = staticmethod(check)

    @staticmethod
    def permissions(settings: SqsSettings) -> Iterator[Statement]:
        """What receiving and reading takes."""
        receive = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
        yield Statement(receive, (_arn(settings.queue_url),))
        if settings.dead_letter_queue:
            yield Statement(("sqs:GetQueueAttributes", "sqs:SendMessage"), (_arn(settings.dead_letter_queue),))
        yield from reading.permissions(settings, region=region_of(settings.queue_url))


def _arn(queue_url: str) -> str:
    account, name = urlsplit(queue_url).path.split("/")[-2:]
    region = region_of(queue_url)
    return f"arn:{partition(region)}:sqs:{region or '*'}:{account}:{name}"
