"""Reads objects, within bounded time and memory, and only as they were announced."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from app.messages import ObjectCreated
from app.pipeline.collect import ObjectContent, ObjectRejected, ObjectUnavailable
from app.sources.buckets.settings import BucketSourceSettings
from pylib.aws.calls import CODES as AWS_CODES
from pylib.aws.calls import AwsClient, AwsFailure
from pylib.aws.policy import Statement
from pylib.net.deadline import passed, within

PIECE = 64 * 1024
MARKS = frozenset({"snapshot-processor", "event-id"})
"""Metadata of objects that this service wrote itself."""

CODES = {
    "object_gone": ("The object is no longer there.", "nothing, if somebody deleted it"),
    "object_changed": ("The object was written over before it could be read.", "nothing: its newer event counts"),
    "object_archived": ("The object is in cold storage.", "restore it, or keep new objects out of GLACIER"),
    "too_large": ("The object is larger than the limit allows.", "raise the source's `max_bytes`"),
    "no_such_bucket": ("There is no such bucket.", "make it, or correct `buckets`"),
    "cut_off": ("The connection broke while the object was read.", "nothing, if it passes: the service tries again"),
    **AWS_CODES,
}
"""Code -> what happened, and what to do about it."""

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})
"""The last one is said of the version that a deletion leaves."""


class ObjectStore:
    """The buckets of a source. Every method may be called from any thread."""

    def __init__(self, settings: BucketSourceSettings) -> None:
        """Connects to nothing."""
        self._settings = settings
        self._lock = threading.Lock()
        self._made: AwsClient | None = None

    @property
    def client(self) -> AwsClient:
        """The client of S3, made when it is first needed. Raises `AwsFailure`."""
        with self._lock:
            if self._made is None:
                settings = self._settings
                self._made = AwsClient("s3", settings, title="S3", path_style=settings.path_style)
            return self._made

    def read(self, found: ObjectCreated) -> ObjectContent:
        """What is in an object; of one that we wrote ourselves, only its metadata.

        Raises `ObjectRejected` (`object_gone`, `object_changed`, `object_archived`, `too_large`) or
        `ObjectUnavailable`.
        """
        if found.size > self._settings.max_bytes:
            raise self._too_large(found.size)
        with within(self._settings.download_timeout):
            try:
                answer = self.client.ask("get_object", Bucket=found.bucket, Key=found.key, **_as_announced(found))
            except AwsFailure as failure:
                raise _failure(failure, found) from None
            body = answer["Body"]
            try:
                metadata = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
                size = answer.get("ContentLength", 0)
                if MARKS & metadata.keys():
                    return ObjectContent(b"", metadata)
                if size > self._settings.max_bytes:
                    raise self._too_large(size)
                return ObjectContent(self._contents(body), metadata)
            finally:
                body.close()  # what was not read of it is not fetched

    def _contents(self, body: Any) -> bytes:
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        data = bytearray()
        try:
            # botocore says when there is less than the server announced.
            while piece := body.read(PIECE):
                data += piece
                if len(data) > self._settings.max_bytes:
                    raise self._too_large(len(data))
        except (BotoCoreError, HTTPError, OSError):
            late = passed()
            sentence = "S3 did not send the object in time." if late else "The connection to S3 broke off."
            raise ObjectUnavailable("timeout" if late else "cut_off", sentence) from None
        return bytes(data)

    def _too_large(self, size: int) -> ObjectRejected:
        return ObjectRejected("too_large", f"it has {size} bytes or more, and {self._settings.max_bytes} are allowed")

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._made is not None:
                self._made.close()


def permissions(settings: BucketSourceSettings) -> Iterator[Statement]:
    """What reading takes; without `s3:ListBucket`, S3 calls an object that is gone a forbidden one."""
    objects = (f"arn:aws:s3:::{one.bucket}/{one.prefix}*" for one in settings.buckets)
    yield Statement(("s3:GetObject", "s3:GetObjectVersion"), tuple(dict.fromkeys(objects)))
    buckets = (f"arn:aws:s3:::{one.bucket}" for one in settings.buckets)
    yield Statement(("s3:ListBucket",), tuple(dict.fromkeys(buckets)))


def _as_announced(found: ObjectCreated) -> Mapping[str, Any]:
    """The condition by which nothing else is read than what was announced."""
    if found.version:
        return {"VersionId": found.version}
    return {"IfMatch": f'"{found.etag}"'} if found.etag else {}


def _failure(failure: AwsFailure, found: ObjectCreated) -> Exception:
    if failure.aws_code == "PreconditionFailed" or failure.status == 412:
        return ObjectRejected("object_changed", "it was written over before it was read")
    if failure.aws_code in _GONE or (failure.aws_code == "InvalidArgument" and found.version):
        return ObjectRejected("object_gone", "it was deleted before it was read")
    if failure.aws_code == "InvalidObjectState":
        return ObjectRejected("object_archived", "it is in cold storage, from which S3 gives nothing at once")
    if failure.aws_code == "NoSuchBucket":
        return ObjectUnavailable(
            "no_such_bucket", f"there is no bucket {found.bucket!r}: make it, or correct `buckets`"
        )
    return ObjectUnavailable(failure.code, failure.sentence)
