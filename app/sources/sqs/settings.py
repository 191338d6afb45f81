"""The settings of objects that a queue of SQS announces."""

from __future__ import annotations

import re

from pydantic import Field

from app.sources.buckets.settings import BucketSourceSettings

_QUEUE = r"^https?://[^/\s?#]+/[0-9A-Za-z_-]{1,64}/[0-9A-Za-z_.-]{1,80}$"
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


def region_of(queue_url: str) -> str:
    """The AWS region that stands in a queue's address; empty where none does."""
    found = _REGION.match(queue_url)
    return found.group(1) if found else ""
