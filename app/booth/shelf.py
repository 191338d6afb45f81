"""Where guests' animations are kept: objects of a bucket, or files of a folder."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from app.booth.settings import BoothBucketSettings, BoothSettings
from pylib.aws.calls import AwsClient, AwsFailure
from pylib.aws.policy import Statement, bucket_arn
from pylib.errors import Permanent
from pylib.files import durable

MARK = "snapshot-processor"
"""The user metadata of what we write ourselves, which no source takes for input."""


class Shelf(Protocol):
    """Keeps files by unique keys. Every method may be called from any thread."""

    def put(self, key: str, data: bytes, *, metadata: Mapping[str, str]) -> None:
        """Have it there; doing it twice changes nothing. Raises `AwsFailure` or OSError."""

    def link(self, key: str, *, seconds: float) -> str:
        """What opens it for so long, whether it is there yet or not; empty where nothing does. Raises `AwsFailure`."""

    def delete(self, key: str) -> None:
        """Have it gone. Raises `AwsFailure` or OSError."""


class BoothBucketBlocked(Permanent):
    """The settings of the bucket make no sense."""


class Bucket:
    """Objects of a bucket."""

    def __init__(self, settings: BoothBucketSettings) -> None:
        """Load boto3 and build the client; sends nothing. Raises `BoothBucketBlocked`."""
        self._settings = settings
        try:
            self._s3 = AwsClient("s3", settings, title="S3", path_style=settings.path_style)
        except AwsFailure as failure:
            raise BoothBucketBlocked(failure.code, f"booth.bucket: {failure.sentence}") from None

    @staticmethod
    def permissions(settings: BoothBucketSettings) -> Sequence[Statement]:
        """To write, to read by links and to delete below the prefix."""
        objects = bucket_arn(settings.bucket, f"{settings.prefix}*", region=settings.region)
        return (Statement(("s3:PutObject", "s3:GetObject", "s3:DeleteObject"), (objects,)),)

    def put(self, key: str, data: bytes, *, metadata: Mapping[str, str]) -> None:
        self._s3.ask(
            "put_object",
            Bucket=self._settings.bucket,
            Key=self._key(key),
            Body=data,
            ContentType="image/gif",
            ContentMD5=base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
            Metadata={MARK: "booth", **metadata},
        )

    def link(self, key: str, *, seconds: float) -> str:
        return self._s3.link(self._settings.bucket, self._key(key), seconds=seconds)[0]

    def delete(self, key: str) -> None:
        self._s3.ask("delete_object", Bucket=self._settings.bucket, Key=self._key(key))

    def _key(self, key: str) -> str:
        return self._settings.prefix + key


class Folder:
    """Files of a folder, without names or addresses."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, data: bytes, *, metadata: Mapping[str, str]) -> None:
        del metadata  # a folder of pictures is looked at by many: the export says whose is whose
        path = self._root / key
        durable.make_folder(path.parent)
        durable.write(path, data)

    def link(self, key: str, *, seconds: float) -> str:
        del key, seconds
        return ""

    def delete(self, key: str) -> None:
        (self._root / key).unlink(missing_ok=True)


def shelf_of(settings: BoothSettings, *, folder: Path) -> Shelf:
    """The one of these settings; `folder` where they name none. Raises `BoothBucketBlocked`."""
    return Bucket(settings.bucket) if settings.bucket.bucket else Folder(settings.folder or folder)
