"""The Google token's copy in S3, over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.archives.google_drive.token_backup import BackupRejected, BackupUnavailable, TokenBackup

TOKEN = {"access_token": "ya29.a", "refresh_token": "1//r", "invalid": False}


@dataclass
class Bucket:
    """Objects by path, and the answers' status while it is not 200."""

    objects: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    code: str = ""
    puts: int = 0


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, code, answer = bucket.status, bucket.code, b""
            if status == 200 and self.command == "PUT":
                bucket.puts += 1
                bucket.objects[self.path] = body
            elif status == 200 and self.path in bucket.objects:
                answer = bucket.objects[self.path]
            elif status == 200:
                status, code = 404, "NoSuchKey"
            if code:
                answer = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = _answer  # noqa: N815 - names given by http.server

        def log_message(self, *_: object) -> None:
            """Tests look at the bucket."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    yield bucket
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "snapshot_processor_creds"
    path.write_text(json.dumps(TOKEN))
    return path


KEY = "/backups/snapshot-processor/snapshot_processor_creds"


def test_the_token_is_copied_on_change_and_hourly(bucket: Bucket, token_file: Path) -> None:
    now = 0.0
    backup = TokenBackup(token_file, bucket="backups", monotonic=lambda: now)
    assert backup.run()
    assert bucket.objects == {KEY: token_file.read_bytes()}
    assert not backup.run()
    token_file.write_text(json.dumps({**TOKEN, "access_token": "ya29.b"}))
    assert backup.run()
    assert bucket.objects[KEY] == token_file.read_bytes()
    bucket.objects.clear()
    now = 3599.0
    assert not backup.run()
    now = 3601.0
    assert backup.run()
    assert bucket.objects == {KEY: token_file.read_bytes()}
    backup.close()


@pytest.mark.parametrize(
    "text", ["", "[]", "half a tok", '{"access_token": "a"}', '{"refresh_token": "r", "invalid": true}']
)
def test_a_good_copy_is_never_replaced_by_a_broken_token(bucket: Bucket, token_file: Path, text: str) -> None:
    backup = TokenBackup(token_file, bucket="backups")
    backup.run()
    good = dict(bucket.objects)
    token_file.write_text(text)
    assert not backup.run()
    token_file.unlink()
    assert not backup.run()
    assert bucket.objects == good
    backup.close()


def test_a_new_machine_gets_the_token_back(bucket: Bucket, token_file: Path) -> None:
    backup = TokenBackup(token_file, bucket="backups")
    backup.run()
    content = token_file.read_bytes()
    token_file.unlink()
    assert backup.restore()
    assert token_file.read_bytes() == content
    assert token_file.stat().st_mode & 0o777 == 0o600
    backup.close()


def test_a_token_that_is_there_is_kept(bucket: Bucket, token_file: Path) -> None:
    backup = TokenBackup(token_file, bucket="backups")
    backup.run()
    newer = json.dumps({**TOKEN, "access_token": "newer"})
    token_file.write_text(newer)
    assert not backup.restore()
    assert token_file.read_text() == newer
    backup.close()


def test_no_copy_a_broken_copy_and_no_bucket_are_told(bucket: Bucket, token_file: Path) -> None:
    token_file.unlink()
    backup = TokenBackup(token_file, bucket="backups")
    with pytest.raises(BackupRejected, match="no copy"):
        backup.restore()
    bucket.objects[KEY] = b"<html>"
    with pytest.raises(BackupRejected, match="bad_copy"):
        backup.restore()
    bucket.status, bucket.code = 404, "NoSuchBucket"
    with pytest.raises(BackupRejected, match="BACKUP_S3_BUCKET"):
        backup.restore()
    assert not token_file.exists()
    backup.close()


def test_an_s3_that_is_away_is_tried_again_at_the_next_run(bucket: Bucket, token_file: Path) -> None:
    backup = TokenBackup(token_file, bucket="backups")
    bucket.status, bucket.code = 503, "SlowDown"
    with pytest.raises(BackupUnavailable):
        backup.run()
    bucket.status, bucket.code = 200, ""
    assert backup.run()
    assert bucket.puts == 1
    backup.close()


def test_refused_credentials_are_told_without_them(bucket: Bucket, token_file: Path) -> None:
    bucket.status, bucket.code = 403, "AccessDenied"
    backup = TokenBackup(token_file, bucket="backups")
    with pytest.raises(BackupRejected, match="AccessDenied") as caught:
        backup.run()
    assert "secret" not in repr(caught.value)
    assert "1//r" not in repr(caught.value)
    backup.close()
