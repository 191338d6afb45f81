"""Buckets in memory: behind boto3's calls, where what arrives may be altered, and behind our own client."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import md5, sha256
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from pylib.aws.calls import AwsFailure

Alter = Callable[[bytes], bytes]


def refused(code: str, status: int) -> ClientError:
    """What boto3 raises for a refusal of S3's."""
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "it")


@dataclass
class BucketClient:
    """What `boto3.client("s3")` is to the archive."""

    proof: str = "sha256"
    """How S3 proves what it has: `sha256` (its checksum), `etag` (an MD5), or `none` (KMS without checksums)."""
    conditional: bool = True
    """Whether it knows `If-None-Match`."""
    alterations: list[Alter] = field(default_factory=list)
    """What the way does to the next bodies, one each."""
    failure: Exception | None = None
    """Raised by every call while it is set."""
    page: int = 1000
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    asked: Callable[[], object] = lambda: None
    """Called by every call."""
    closed: bool = False
    meta: Any = field(default_factory=lambda: SimpleNamespace(endpoint_url="https://s3", region_name="r"))

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **options: Any) -> Mapping[str, Any]:  # noqa: N803
        assert options["ContentMD5"] == base64.b64encode(md5(Body).digest()).decode(), "S3 would refuse it"
        assert options["ChecksumSHA256"] == base64.b64encode(sha256(Body).digest()).decode(), "S3 would refuse it"
        if options.pop("IfNoneMatch", ""):
            self._called("put new")
            if not self.conditional:
                raise refused("NotImplemented", 501)
            if Key in self.objects:
                raise refused("PreconditionFailed", 412)
        else:
            self._called("put")
        there = self.alterations.pop(0)(Body) if self.alterations else Body
        self.objects[Key] = {"Body": there, **options}
        return {"ETag": self._etag(there), **self._encryption}

    def head_object(self, *, Bucket: str, Key: str, ChecksumMode: str = "") -> Mapping[str, Any]:  # noqa: N803
        self._called("head")
        if Key not in self.objects:
            raise refused("404", 404)
        there = self.objects[Key]
        answer = {
            "ContentLength": len(there["Body"]),
            "ETag": self._etag(there["Body"]),
            "Metadata": there.get("Metadata", {}),
            **self._encryption,
        }
        if self.proof == "sha256" and ChecksumMode == "ENABLED":
            answer["ChecksumSHA256"] = base64.b64encode(sha256(there["Body"]).digest()).decode()
        return answer

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str,  # noqa: N803
        MaxKeys: int = 1000,  # noqa: N803
        ContinuationToken: str = "",  # noqa: N803
    ) -> Mapping[str, Any]:
        self._called("list")
        keys = [key for key in sorted(self.objects) if key.startswith(Prefix) and key > ContinuationToken]
        shown, more = keys[: min(MaxKeys, self.page)], keys[self.page :]
        contents = [
            {"Key": key, "Size": len(self.objects[key]["Body"]), "ETag": self._etag(self.objects[key]["Body"])}
            for key in shown
        ]
        return {"Contents": contents, **({"IsTruncated": True, "NextContinuationToken": shown[-1]} if more else {})}

    def delete_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        self._called("delete")
        self.objects.pop(Key, None)
        return {}

    def close(self) -> None:
        self.closed = True

    @property
    def _encryption(self) -> Mapping[str, str]:
        return {"ServerSideEncryption": "aws:kms"} if self.proof == "none" else {}

    def _etag(self, body: bytes) -> str:
        return f'"{md5(body if self.proof != "none" else b"encrypted" + body).hexdigest()}"'

    def _called(self, what: str) -> None:
        self.calls.append(what)
        self.asked()
        if self.failure is not None:
            raise self.failure


@dataclass
class FakeBuckets:
    """What `pylib.aws.calls.AwsClient` is to those who put objects; all buckets are there."""

    conditional: bool = True
    """Whether it knows `If-None-Match` and `If-Match`."""
    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, operation: str, *, Bucket: str, Key: str, **options: Any) -> Mapping[str, Any]:  # noqa: N803
        conditions = {name: options.pop(name) for name in ("IfNoneMatch", "IfMatch") if name in options}
        self.asked.append(" ".join([operation, *conditions]))
        there = self.objects.get((Bucket, Key))
        if operation == "head_object":
            if there is None:
                raise AwsFailure("not_found", "Nothing is there.", kind="missing", aws_code="404", status=404)
            return there
        if conditions and not self.conditional:
            raise AwsFailure("aws_busy", "Not known.", kind="busy", aws_code="NotImplemented", status=501)
        etag = there["ETag"] if there else ""
        if ("IfNoneMatch" in conditions and there) or conditions.get("IfMatch", etag) != etag:
            raise AwsFailure("call_refused", "No.", kind="refused", aws_code="PreconditionFailed", status=412)
        self.objects[Bucket, Key] = {**options, "ETag": md5(options["Body"]).hexdigest()}
        return {}
