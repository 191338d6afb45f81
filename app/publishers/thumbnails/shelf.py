"""Where thumbnails are put: objects of a bucket, each written once for an event, and none over anything else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
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

    def __init__(self, client: AwsClient, *, cache_control: str) -> None:
        """`cache_control`: of every object; empty for none."""
        self._client = client
        self._headers: dict[str, Any] = {"CacheControl": cache_control} if cache_control else {}
        self._conditional = True

    def put(self, bucket: str, key: str, made: SmallPicture, snapshot: Snapshot) -> None:
        """Have a thumbnail there; doing it twice writes once.

        One of an older picture of the same name is replaced, one of a newer picture stays. Raises `AwsFailure`, and
        `PublishRejected` where something else is there.
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
        if theirs.get("event-id") != snapshot.id and theirs.get("time", "") <= _time(snapshot):
            self._put(*stands, **({"IfMatch": there["ETag"]} if self._conditional else {}))

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
            Metadata={MARK: "thumbnail", "event-id": snapshot.id, "time": _time(snapshot)},
            **self._headers,
            **conditions,
        )


def _time(snapshot: Snapshot) -> str:
    """When its object was written, or its trigger came: in one form, so that the later is the greater."""
    return snapshot.timestamp.astimezone(UTC).isoformat(timespec="microseconds")
