"""The settings of objects that a queue of SQS announces."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from app.sources.buckets.settings import BucketSourceSettings

_QUEUE = r"^https?://[^/\s?#@]+/[0-9A-Za-z_-]{1,64}/[0-9A-Za-z_.-]{1,80}$"
_REGION = re.compile(r"https://(?:sqs\.)?([a-z]{2}[a-z-]+-\d)\.(?:queue\.)?amazonaws\.com")


class SqsSettings(BucketSourceSettings):
    """Objects in buckets, announced by a queue; the login is boto3's own (`AWS_ACCESS_KEY_ID`, a role ...)."""

    queue_url: str = Field(
        pattern=_QUEUE,
        max_length=500,
        description="The queue that gets S3's events: `https://sqs.eu-central-1.amazonaws.com/123456789012/pictures`.",
    )
    visibility: int = Field(
        default=120,
        ge=30,
        le=43_200,
        description="Seconds after which a message comes again if the service ends; extended while it works on it.",
    )
    dead_letter_queue: str = Field(
        default="",
        pattern=f"^$|{_QUEUE}",
        max_length=500,
        description="Address of the queue that messages which are no events are sent to, with the reason as attribute."
        " Empty to leave them to the queue's own redrive policy.",
    )
    max_receives: int = Field(
        default=5, ge=1, le=1000, description="As often a message that is no event may come before it is set aside."
    )

    @property
    def takes_from(self) -> str:
        """The queue, in one spelling: each source deletes what it is through with, so a queue has one."""
        return _queue(self.queue_url)

    @model_validator(mode="after")
    def _sets_aside_elsewhere(self) -> Self:
        if self.dead_letter_queue and _queue(self.dead_letter_queue) == self.takes_from:
            raise ValueError("dead_letter_queue is queue_url itself: name another queue, or none")
        return self


def _queue(url: str) -> str:
    parts = urlsplit(url)
    return f"{region_of(url) or parts.netloc.lower()}{parts.path}"


def region_of(queue_url: str) -> str:
    """The AWS region that stands in a queue's address; empty where none does."""
    found = _REGION.match(queue_url)
    return found.group(1) if found else ""
