"""A queue of SQS: what is received from it, and what it is told in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog

from app.sources.sqs.settings import SqsSettings, region_of
from pylib.aws.calls import AwsClient

log = structlog.get_logger(__name__)

BATCH = 10
"""Messages in one call, by SQS's rules."""
CALL_S = 5.0
"""Seconds that a call may take beyond what it waits for messages: a stop waits for it."""
_HANDLE_PASSED = frozenset({"InvalidParameterValue", "ReceiptHandleIsInvalid", "MessageNotInflight"})
"""The message became visible again, is gone, or was held for the twelve hours that SQS allows."""


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of a message."""

    id: str
    handle: str
    """Names this delivery to SQS; the next one of the same message has another."""
    body: bytes
    receives: int
    """How often it was delivered, this time included."""


class Queue:
    """A queue and its dead letters. Every method raises `pylib.aws.calls.AwsFailure`, and is for one thread."""

    def __init__(self, settings: SqsSettings, *, beat: Callable[[], None] = lambda: None) -> None:
        """Connects to nothing. `beat` is called before each of the calls that a method makes."""
        self._settings = settings
        self._beat = beat
        self._made: AwsClient | None = None
        self._redrives: bool | None = None

    @property
    def client(self) -> AwsClient:
        """Made when it is first needed."""
        if self._made is None:
            settings = self._settings
            # The queue's address decides, wherever the buckets are.
            region = region_of(settings.queue_url) or settings.region
            self._made = AwsClient("sqs", settings.model_copy(update={"region": region}), title="SQS")
        return self._made

    def receive(self, *, wait: int) -> list[Message]:
        """Up to ten messages, waiting so many seconds for the first."""
        answer = self.client.ask(
            "receive_message",
            timeout=wait + CALL_S,
            QueueUrl=self._settings.queue_url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._settings.visibility,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Message(
                one["MessageId"],
                one["ReceiptHandle"],
                one.get("Body", "").encode(errors="surrogatepass"),
                int(one.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for one in answer.get("Messages", ())
        ]

    def delete(self, handles: Mapping[str, str]) -> set[str]:
        """Delete messages, by id, for good; the ids of those that need not be tried again."""
        return self._in_batches("delete_message_batch", handles)

    def extend(self, handles: Mapping[str, str], *, seconds: int | None = None) -> set[str]:
        """Keep messages, by id, invisible for the setting's time again, or for so many seconds from now."""
        visible = self._settings.visibility if seconds is None else seconds
        return self._in_batches("change_message_visibility_batch", handles, VisibilityTimeout=visible)

    def set_aside(self, message: Message, reason: str) -> None:
        """Send a message to the dead letters, with its reason."""
        self.client.ask(
            "send_message",
            timeout=CALL_S,
            QueueUrl=self._settings.dead_letter_queue,
            MessageBody=message.body.decode(errors="replace"),
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
        )

    @property
    def redrives(self) -> bool:
        """Whether it moves what comes too often to dead letters of its own accord."""
        if self._redrives is None:
            names = {"QueueUrl": self._settings.queue_url, "AttributeNames": ["RedrivePolicy"]}
            answer = self.client.ask("get_queue_attributes", timeout=CALL_S, **names)
            self._redrives = "RedrivePolicy" in answer.get("Attributes", {})
        return self._redrives

    def close(self) -> None:
        """Close the connections."""
        if self._made is not None:
            self._made.close()

    def _in_batches(self, operation: str, handles: Mapping[str, str], **entry: Any) -> set[str]:
        settled: set[str] = set()
        left = iter(handles.items())
        while batch := list(islice(left, BATCH)):
            self._beat()
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, **entry} for number, (_, handle) in enumerate(batch)
            ]
            answer = self.client.ask(operation, timeout=CALL_S, QueueUrl=self._settings.queue_url, Entries=entries)
            again = set(_again(answer.get("Failed", ()), operation))
            settled.update(name for number, (name, _) in enumerate(batch) if str(number) not in again)
        return settled


def _again(failed: Iterable[Mapping[str, Any]], operation: str) -> Sequence[str]:
    """The entries of a batch that are to be tried again."""
    again = []
    for one in failed:
        code = str(one.get("Code", ""))
        passed = code.rpartition(".")[2] in _HANDLE_PASSED
        log.info("message not settled", operation=operation, reason=code, again=not passed)
        if not passed:
            again.append(str(one.get("Id", "")))
    return again
