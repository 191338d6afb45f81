"""Where thumbnails are put: objects of a bucket, each written once for an event, and none over anything else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from app.media.formats import CONTENT_TYPES, SUFFIXES
from app.media.thumbnail import SmallPicture
from app.messages import Snapshot
from app.publishers import PublishRejected
from pylib.aws.calls import AwsClient, AwsFailure

MARK = "snapshot-processor"
"""The user metadata of what we write ourselves, which no source takes for input."""

_TAKEN = (409, 412)
"""Answers to a write on a condition that does not hold (any more)."""


class Shelf:
    """Objects of thumbnails. Every method may be called from any thread."""

    def __init__(self, client: AwsClient, *, cache_control: str, order_of: Callable[[str], int]) -> None:
        """`cache_control`: of every object; empty for none. `order_of`: see `PublisherContext.order_of`."""
        self._client = client
        self._order_of = order_of
        self._headers: dict[str, Any] = {"CacheControl": cache_control} if cache_control else {}
        self._conditional = True

    def put(self, bucket: str, key: str, made: SmallPicture, snapshot: Snapshot) -> None:
        """Have a thumbnail there; doing it twice writes once.

        One of an older picture of the same name is replaced, one of a newer picture stays. Of what one key held, the
        newer is what was written later, whenever it was taken. Raises `AwsFailure`, and `PublishRejected` where
        something else is there.
        """
        stands = (bucket, key, made, snapshot)
        if self._conditional and self._put_new(*stands):
            return
        there = self._find(bucket, key)
        if there is None:
            self._put(*stands)
            return
        theirs = there.get("Metadata", {})
        if theirs.get(MARK) != "thumbnail":
            raise PublishRejected("name_taken", "Something that is no thumbnail of ours has the thumbnail's name.")
        if self._is_older(theirs, snapshot):
            self._put(*stands, **({"IfMatch": there["ETag"]} if self._conditional else {}))

    def _is_older(self, theirs: Mapping[str, str], snapshot: Snapshot) -> bool:
        """Whether a thumbnail that is there is of an older picture than this one."""
        event_id = theirs.get("event-id", "")
        if event_id == snapshot.id:
            return False
        this, that = _time(snapshot), theirs.get("time", "")
        if snapshot.object_key and theirs.get("source") == _source(snapshot):
            return (self._order_of(event_id), that) <= (self._order_of(snapshot.id), this)
        return that <= this

    def _put_new(self, *stands: Any) -> bool:
        """Whether it could be written where nothing was yet."""
        try:
            self._put(*stands, IfNoneMatch="*")
        except AwsFailure as failure:
            if failure.status == 501:  # a server without conditional writes
                self._conditional = False
            elif failure.status not in _TAKEN:
                raise
            return False
        return True

    def _find(self, bucket: str, key: str) -> Mapping[str, Any] | None:
        try:
            return self._client.ask("head_object", Bucket=bucket, Key=key)
        except AwsFailure as failure:
            if failure.status == 404:
                return None
            raise

    def _put(self, bucket: str, key: str, made: SmallPicture, snapshot: Snapshot, **conditions: Any) -> None:
        self._client.ask(
            "put_object",
            Bucket=bucket,
            Key=key,
            Body=made.data,
            ContentType=CONTENT_TYPES[SUFFIXES[made.format]],
            ContentMD5=base64.b64encode(hashlib.md5(made.data, usedforsecurity=False).digest()).decode(),
            Metadata={
                MARK: "thumbnail",
                "event-id": snapshot.id,
                "time": _time(snapshot),
                **({"source": _source(snapshot)} if snapshot.object_key else {}),
            },
            **self._headers,
            **conditions,
        )


def _time(snapshot: Snapshot) -> str:
    """When it was taken, or its trigger came: in one form, so that the later is the greater."""
    return snapshot.timestamp.astimezone(UTC).isoformat(timespec="microseconds")


def _source(snapshot: Snapshot) -> str:
    """A digest of the bucket and the key that its picture was under: metadata is short, and ASCII."""
    return hashlib.sha256(f"{snapshot.bucket}/{snapshot.object_key}".encode(errors="replace")).hexdigest()[:32]
