"""Whether a queue and its buckets would bring objects, found out by calls that change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from app.sources import Found
from app.sources.buckets import reading
from app.sources.sqs.queue import Queue
from app.sources.sqs.settings import SqsSettings, region_of
from pylib.aws.calls import AwsFailure
from pylib.errors import Permanent

NONE = "of no message"
DRY: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("receive_message", {"MaxNumberOfMessages": 0}),
    ("delete_message", {"ReceiptHandle": NONE}),
    ("change_message_visibility", {"ReceiptHandle": NONE, "VisibilityTimeout": 0}),
)
"""Calls that can do nothing: a queue refuses them for that, unless it refuses them for the login."""

SENDERS = ("s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com")
"""Services of AWS that notify of objects."""


def check(settings: SqsSettings) -> Iterator[Found]:
    """What is there. Raises `Failure`."""
    queue = Queue(settings)
    try:
        with _named(settings.queue_url):
            found = _queue(queue, settings)
        yield found
        yield from reading.check(settings)
    finally:
        queue.close()


def _queue(queue: Queue, settings: SqsSettings) -> Found:
    url = settings.queue_url
    said = queue.client.ask("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    for operation, parameters in DRY:
        try:
            queue.client.ask(operation, QueueUrl=url, **parameters)
        except AwsFailure as failure:
            if failure.kind != "refused":
                raise
    if settings.dead_letter_queue:
        with _named(settings.dead_letter_queue):
            queue.client.ask("get_queue_attributes", QueueUrl=settings.dead_letter_queue, AttributeNames=["QueueArn"])
    text = f"{_name(url)}, {said.get('ApproximateNumberOfMessages', 'some')} message(s) waiting"
    if region_of(url) and not _notified(said.get("Policy", "")):
        return Found(
            f"{text}; its policy lets no service of AWS send to it that notifies of objects",
            "allow s3.amazonaws.com sqs:SendMessage in the queue's policy (docs/buckets.md)",
        )
    return Found(text)


def _notified(policy: str) -> bool:
    """Whether the queue's policy names a service that notifies of objects."""
    try:
        statements = json.loads(policy or "{}").get("Statement", [])
        return any(sender in json.dumps(statement.get("Principal")) for statement in statements for sender in SENDERS)
    except (ValueError, AttributeError):
        return True  # none that we could judge


@contextmanager
def _named(url: str) -> Iterator[None]:
    """Failures say which queue they are of."""
    try:
        yield
    except AwsFailure as failure:
        raise Permanent(failure.code, f"{_name(url)}: {failure.sentence}") from None


def _name(url: str) -> str:
    return f"queue {url.rpartition('/')[2]}"
