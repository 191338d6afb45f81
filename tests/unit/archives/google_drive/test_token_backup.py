"""What S3 says of the copy of the token is told apart: what passes by itself, and what waits for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as boto

from app.archives.google_drive.token_backup import BackupError, BackupRejected, BackupUnavailable, TokenBackup


def refusal(code: str) -> boto.ClientError:
    return boto.ClientError({"Error": {"Code": code, "Message": "secret"}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (refusal("SlowDown"), BackupUnavailable, "unavailable"),
        (refusal("NoSuchKey"), BackupRejected, "no_copy"),
        (refusal("NoSuchBucket"), BackupRejected, "no_bucket"),
        (refusal("AccessDenied"), BackupRejected, "refused"),
        (boto.EndpointConnectionError(endpoint_url="http://s3"), BackupUnavailable, "unreachable"),
        (boto.ConnectTimeoutError(endpoint_url="http://s3"), BackupUnavailable, "unreachable"),
        (boto.ConnectionClosedError(endpoint_url="http://s3"), BackupUnavailable, "unreachable"),
        (boto.SSLError(endpoint_url="http://s3", error=OSError("no")), BackupRejected, "bad_setup"),
        (boto.NoCredentialsError(), BackupRejected, "bad_setup"),
    ],
    ids=repr,
)
def test_each_failure_has_a_code(tmp_path: Path, error: Exception, kind: type[BackupError], code: str) -> None:
    class Failing:
        def get_object(self, **_: Any) -> None:
            raise error

    backup = TokenBackup(tmp_path / "token.json", bucket="b", client=Failing)  # type: ignore[arg-type]
    with pytest.raises(kind) as raised:
        backup.restore()
    assert (raised.value.code, "secret" in str(raised.value)) == (code, False)
    assert not (tmp_path / "token.json").exists()
