"""A copy of the Google token in S3, so that a new machine needs no new sign-in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from pylib import aws
from pylib.aws.policy import Statement, bucket_arn
from pylib.errors import Failure, Permanent, Transient
from pylib.files import durable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = structlog.get_logger(__name__)

LOOKED_AT_EVERY = 3600.0
"""Seconds after which the copy is written again, in case that it was changed or deleted meanwhile."""

PREFIX = "snapshot-processor/"
"""Of the copy's key."""
MAX_BYTES = 65_536
TIMEOUT = 10
"""Seconds to connect, and of silence."""

_LATER = aws.THROTTLES | {"ServiceUnavailable", "InternalError", "RequestTimeout", "503", "500"}
_MISSING = {"NoSuchKey", "404"}


class BackupError(Failure):
    """The token was not backed up, or not restored."""


class BackupUnavailable(BackupError, Transient):
    """S3 is unreachable."""


class BackupRejected(BackupError, Permanent):
    """A person has to change something: bucket, key, permission, or the token itself."""


class TokenBackup:
    """Keeps one token file's copy under one key. Used by one thread at a time."""

    @staticmethod
    def permissions(bucket: str) -> Sequence[Statement]:
        """To write the copy, and to read it on another machine; without listing, a missing one looks forbidden."""
        return (
            Statement(("s3:GetObject", "s3:PutObject"), (bucket_arn(bucket, f"{PREFIX}*"),)),
            Statement(("s3:ListBucket",), (bucket_arn(bucket),)),
        )

    def __init__(
        self,
        token_file: Path,
        *,
        bucket: str,
        prefix: str = PREFIX,
        client: Callable[[], S3Client] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Sends nothing. The login and the address are boto3's own (`AWS_ENDPOINT_URL_S3`, `AWS_PROFILE` ...)."""
        self._file = token_file
        self._bucket = bucket
        self._key = f"{prefix}{token_file.name}"
        self._make_client = client or _client
        self._monotonic = monotonic
        self._s3: S3Client | None = None
        self._written: tuple[bytes, float] | None = None

    def run(self) -> bool:
        """Write the copy when the token has changed or an hour is over; returns whether it did. Call it every minute.

        Raises `BackupError`; a file without a renewable token is not copied, and the copy stays.
        """
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise BackupRejected("unreadable", f"{self._file} cannot be read: {error.strerror}") from None
        if not _renewable(content):
            return False
        if self._written and self._written[0] == content and self._monotonic() - self._written[1] < LOOKED_AT_EVERY:
            return False
        self._call(
            lambda s3: s3.put_object(Bucket=self._bucket, Key=self._key, Body=content, ContentType="application/json")
        )
        self._written = content, self._monotonic()
        log.info("google token backed up", bucket=self._bucket)
        return True

    def restore(self) -> bool:
        """Restore the token from the copy, unless there is one; returns whether it did. Raises `BackupError`."""
        if self._file.exists():
            return False
        content = self._call(lambda s3: self._get(s3))
        if not _renewable(content):
            raise BackupRejected("bad_copy", "The copy in S3 is no Google token: sign in anew.")
        try:
            durable.write_private(self._file, content)
        except OSError as error:
            raise BackupRejected("not_written", f"{self._file} cannot be written: {error.strerror}") from None
        log.info("google token restored", bucket=self._bucket)
        return True

    def close(self) -> None:
        """Close the connections."""
        if self._s3 is not None:
            self._s3.close()

    def _get(self, s3: S3Client) -> bytes:
        answer = s3.get_object(Bucket=self._bucket, Key=self._key)
        with answer["Body"] as body:
            return body.read(MAX_BYTES)

    def _call(self, action: Callable[[S3Client], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._s3 is None:
                self._s3 = self._make_client()
            return action(self._s3)
        except ClientError as error:
            raise self._refused(aws.refusal(error.response)[0]) from None
        except BotoCoreError as error:
            if aws.trouble(error) in ("timeout", "unreachable"):
                raise BackupUnavailable("unreachable", "S3 cannot be reached") from None
            raise BackupRejected("bad_setup", f"S3 cannot be used: {type(error).__name__}") from None

    def _refused(self, code: str) -> BackupError:
        if code in _LATER:
            return BackupUnavailable("unavailable", f"S3 is busy ({code})")
        if code in _MISSING:
            return BackupRejected("no_copy", f"There is no copy of the token in the bucket {self._bucket}.")
        if code == "NoSuchBucket":
            return BackupRejected("no_bucket", f"There is no bucket {self._bucket}: check BACKUP_S3_BUCKET.")
        return BackupRejected("refused", f"S3 refuses the bucket {self._bucket} to this login ({code}).")


def _client() -> S3Client:
    from botocore.config import Config

    config = Config(
        connect_timeout=TIMEOUT,
        read_timeout=TIMEOUT,
        retries={"total_max_attempts": 2, "mode": "standard"},
        request_checksum_calculation="when_required",  # other servers may not support AWS's newer ones
    )
    client: S3Client = aws.client("s3", config=config)
    return client


def _renewable(content: bytes) -> bool:
    """Whether this is a token worth copying or restoring."""
    try:
        token = json.loads(content)
    except ValueError:
        return False
    return isinstance(token, dict) and bool(token.get("refresh_token")) and not token.get("invalid")
