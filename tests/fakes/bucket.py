"""What `pylib.aws.calls.AwsClient` is to a bucket: objects in memory, pages of them, and refusals on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from typing import Any

from pylib.aws.calls import AwsFailure

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def refused(aws_code: str, status: int, *, code: str = "call_refused", kind: Any = "refused") -> AwsFailure:
    """What a call ends with that S3 refuses."""
    return AwsFailure(code, f"S3 refuses the call with {aws_code}.", kind=kind, aws_code=aws_code, status=status)


@dataclass
class Body:
    """A body that streams; `breaks` is raised once it is read to its end."""

    data: bytes
    breaks: Exception | None = None
    taken: int = 0
    closed: bool = False

    def read(self, size: int) -> bytes:
        piece = self.data[self.taken : self.taken + size]
        self.taken += len(piece)
        if not piece and self.breaks:
            raise self.breaks
        return piece

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeS3:
    """One bucket, `photos`."""

    now: datetime = NOON
    page: int = 1000
    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    failure: AwsFailure | None = None
    """Raised by every call while it is set."""
    fails: Callable[[str, Mapping[str, Any]], AwsFailure | None] = lambda _operation, _parameters: None
    changed: dict[str, Any] = field(default_factory=dict)
    """Fields of an answer that are other than they should be."""
    bodies: list[Body] = field(default_factory=list)
    breaks: Exception | None = None
    closed: bool = False

    def put(self, *keys: str, data: bytes = b"a picture", at: datetime | None = None) -> None:
        for key in keys:
            self.objects[key] = data, at or self.now

    def ask(self, operation: str, *, timeout: float = 0, **parameters: Any) -> Mapping[str, Any]:
        self.calls.append((operation, parameters))
        if failure := self.failure or self.fails(operation, parameters):
            raise failure
        answer: dict[str, Any] = getattr(self, operation)(**parameters)
        return {name: value for name, value in {**answer, **self.changed}.items() if value is not None}

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str = "", VersionId: str = "") -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise refused("NoSuchKey", 404, code="not_found", kind="missing")
        data, _ = self.objects[Key]
        if IfMatch and IfMatch != f'"{md5(data).hexdigest()}"':
            raise refused("PreconditionFailed", 412)
        self.bodies.append(Body(data, self.breaks))
        return {"Body": self.bodies[-1], "ContentLength": len(data), "Metadata": self.metadata}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"ContentLength": len(self.objects[Key][0])}

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str,  # noqa: N803
        MaxKeys: int,  # noqa: N803
        ContinuationToken: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        keys = [key for key in sorted(self.objects) if key.startswith(Prefix) and key > ContinuationToken]
        shown = keys[: min(MaxKeys, self.page)]
        return {
            "IsTruncated": len(shown) < len(keys),
            "NextContinuationToken": shown[-1] if len(shown) < len(keys) else None,
            "Contents": [self._entry(key) for key in shown],
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now, usegmt=True)}},
        }

    def _entry(self, key: str) -> dict[str, Any]:
        data, at = self.objects[key]
        return {"Key": key, "LastModified": at, "Size": len(data), "ETag": f'"{md5(data).hexdigest()}"'}

    def close(self) -> None:
        self.closed = True
