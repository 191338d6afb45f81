"""Lists and reads objects, within bounded time and memory, and only as they were announced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.messages import ObjectCreated
from app.pipeline.collect import OUR_MARKS, ObjectContent, ObjectRejected, ObjectUnavailable
from app.sources import Found
from app.sources.buckets.gates import Gates
from app.sources.buckets.notifications import FoundObject, etag
from app.sources.buckets.settings import BucketSourceSettings, WatchedBucket
from pylib.aws.calls import CODES as AWS_CODES
from pylib.aws.calls import AwsClient, AwsFailure
from pylib.aws.policy import Statement, bucket_arn
from pylib.net.deadline import passed, within

PIECE = 64 * 1024
"""Bytes of a body that are read at once."""
PAGE = 1000
"""Keys in a page: as many as S3 gives."""

CODES = {
    **AWS_CODES,
    "object_gone": (
        "The object was deleted before it was read.",
        "keep objects in the bucket for longer than the service may be away",
    ),
    "object_changed": (
        "The object was written over before it was read.",
        "nothing: what is there now has an event of its own",
    ),
    "object_archived": ("The object is in cold storage.", "restore it and write it anew"),
    "too_large": ("The object is larger than the limit allows.", "raise the source's `max_bytes`"),
    "no_such_bucket": ("There is no such bucket.", "make it, or correct the source's `buckets`"),
    "cut_off": ("The connection broke off while an object was read.", "nothing, if it passes: the service tries again"),
}
"""Code -> what happened, and what to do about it."""

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})
"""The last one is said of the version that a deletion leaves."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a bucket's list."""

    objects: Sequence[FoundObject]
    """Folders too: their keys end in a slash."""
    token: str
    """Names the next one; empty where this is the last."""
    asked_at: datetime
    """When it was made, by the server's clock."""


class ObjectStore:
    """The buckets of a source. Every method may be called from any thread."""

    def __init__(
        self, settings: BucketSourceSettings, *, source: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Connects to nothing. `source`: whose buckets they are, for the log."""
        self._settings = settings
        self._gates = Gates(source, clock=clock)
        self._lock = threading.Lock()
        self._made: AwsClient | None = None

    def read(self, found: ObjectCreated) -> ObjectContent:
        """What is in an object; of one that we wrote ourselves, only its metadata.

        Raises `ObjectRejected` (`object_gone`, `object_changed`, `object_archived`, `too_large`) or
        `ObjectUnavailable`.
        """
        if found.size > self._settings.max_bytes:
            raise self._too_large(found.size)
        with self._gates.of(found.bucket).read(), within(self._settings.download_timeout):
            answer = self._ask("get_object", found.bucket, Key=found.key, **_as_announced(found))
            body = answer["Body"]
            try:
                metadata = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
                if any(mark in metadata for mark in OUR_MARKS):
                    return ObjectContent(b"", metadata)
                if (size := answer.get("ContentLength", 0)) > self._settings.max_bytes:
                    raise self._too_large(size)
                return ObjectContent(self._contents(body), metadata)
            finally:
                body.close()  # what was not read of it is not fetched

    @property
    def problem(self) -> str:
        """Which buckets could not be read the last time, and why; empty when all could."""
        return self._gates.problem

    def page(self, watched: WatchedBucket, token: str = "") -> Page:
        """A page of a list, the first one unless a token names another. Raises `ObjectUnavailable`."""
        more = {"ContinuationToken": token} if token else {}
        answer = self._ask("list_objects_v2", watched.bucket, Prefix=watched.prefix, MaxKeys=PAGE, **more)
        if "IsTruncated" not in answer:
            # An answer of something else, read as an empty list, would have us forget all objects.
            raise ObjectUnavailable("bad_answer", "Something answered that is not S3.")
        return Page(
            objects=[_listed(watched.bucket, entry) for entry in answer.get("Contents", ())],
            token=answer.get("NextContinuationToken", "") if answer["IsTruncated"] else "",
            asked_at=_date(answer),
        )

    def probe(self, watched: WatchedBucket) -> str:
        """See by calls that change nothing whether the bucket can be listed and read; says what is there.

        Raises `ObjectUnavailable`, which names the permission that is missing.
        """
        answer = self._ask("list_objects_v2", watched.bucket, Prefix=watched.prefix, MaxKeys=1)
        place = f"{watched.bucket}/{watched.prefix}"
        for entry in answer.get("Contents", ()):
            self._ask("head_object", watched.bucket, Key=entry["Key"])
            return f"{place} can be listed and read"
        return f"{place} can be listed, and is empty"

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._made is not None:
                self._made.close()

    def _ask(self, operation: str, bucket: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            return self._client.ask(operation, Bucket=bucket, **parameters)
        except AwsFailure as failure:
            raise _failure(failure, operation, bucket, versioned="VersionId" in parameters) from None

    @property
    def _client(self) -> AwsClient:
        """Made when it is first needed. Raises `AwsFailure`."""
        with self._lock:
            if self._made is None:
                self._made = AwsClient("s3", self._settings, title="S3", path_style=self._settings.path_style)
            return self._made

    def _contents(self, body: Any) -> bytes:
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        data = bytearray()
        try:
            # botocore raises where there is less than the server announced.
            while piece := body.read(PIECE):
                data += piece
                if len(data) > self._settings.max_bytes:
                    raise self._too_large(len(data))
        except (BotoCoreError, HTTPError, OSError):
            if passed():
                raise ObjectUnavailable("timeout", "S3 did not send the object in time.") from None
            raise ObjectUnavailable("cut_off", "The connection to S3 broke off.") from None
        return bytes(data)

    def _too_large(self, size: int) -> ObjectRejected:
        return ObjectRejected("too_large", f"it has {size} bytes or more, and {self._settings.max_bytes} are allowed")


def check(settings: BucketSourceSettings) -> Iterator[Found]:
    """Whether the buckets can be listed and read. Raises `ObjectUnavailable`."""
    store = ObjectStore(settings)
    try:
        for watched in settings.buckets:
            yield Found(store.probe(watched))
    finally:
        store.close()


def permissions(settings: BucketSourceSettings, *, region: str = "") -> Iterator[Statement]:
    """What listing and reading take; without `s3:ListBucket` S3 calls an object that is gone a forbidden one.

    `region`: where the settings name none.
    """
    region = settings.region or region
    objects = (bucket_arn(one.bucket, f"{one.prefix}*", region=region) for one in settings.buckets)
    yield Statement(("s3:GetObject", "s3:GetObjectVersion"), tuple(dict.fromkeys(objects)))
    buckets = (bucket_arn(one.bucket, region=region) for one in settings.buckets)
    yield Statement(("s3:ListBucket",), tuple(dict.fromkeys(buckets)))


def _as_announced(found: ObjectCreated) -> Mapping[str, Any]:
    """The condition by which nothing else is read than what was announced."""
    if found.version:
        return {"VersionId": found.version}
    return {"IfMatch": f'"{found.etag}"'} if found.etag else {}


def _listed(bucket: str, entry: Mapping[str, Any]) -> FoundObject:
    return FoundObject(
        bucket=bucket,
        key=entry["Key"],
        timestamp=entry["LastModified"].astimezone(UTC),
        size=entry.get("Size", -1),
        etag=etag(entry.get("ETag")),
    )


def _date(answer: Mapping[str, Any]) -> datetime:
    try:
        date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError):
        return datetime.now(UTC)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _failure(
    failure: AwsFailure, operation: str, bucket: str, *, versioned: bool
) -> ObjectRejected | ObjectUnavailable:
    code = failure.aws_code
    if code == "PreconditionFailed" or failure.status == 412:
        return ObjectRejected("object_changed", "it was written over before it was read")
    if code in _GONE or (code == "InvalidArgument" and versioned):
        return ObjectRejected("object_gone", "it was deleted before it was read")
    if code == "InvalidObjectState":
        return ObjectRejected("object_archived", "it is in cold storage, from which S3 gives nothing at once")
    if code == "NoSuchBucket":
        return ObjectUnavailable("no_such_bucket", f"There is no bucket {bucket!r}: make it, or correct `buckets`.")
    if failure.kind == "denied":
        lacking = "s3:ListBucket" if operation == "list_objects_v2" else "s3:GetObject and s3:ListBucket"
        sentence = f"S3 does not let this login use {bucket!r}: it needs {lacking} (see `snapshot-processor iam`)."
        return ObjectUnavailable(failure.code, sentence)
    if failure.code == "call_refused" and operation == "get_object":
        # A key of one's own (SSE-C), or one of KMS that is switched off: no later call would be answered otherwise.
        return ObjectRejected(failure.code, f"S3 refuses to give it ({code or failure.status})")
    return ObjectUnavailable(failure.code, failure.sentence)
