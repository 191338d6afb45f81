"""The S3 archive: Amazon S3, or a server that speaks its protocol."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import structlog

from app.archives import (
    ArchiveBlocked,
    ArchiveContext,
    ArchiveError,
    ArchiveRejected,
    ArchiveUnavailable,
    RemoteObject,
    event_id_in,
)
from app.archives.s3.errors import CODES as CODES
from app.archives.s3.errors import failure, refusal
from app.archives.s3.settings import S3Settings
from app.media.formats import CONTENT_TYPES, VIDEO_TYPES
from app.messages import Inspection
from pylib.aws.links import LONGEST_S, presigned
from pylib.aws.policy import Statement, bucket_arn, use_of_key
from pylib.net.deadline import passed, within

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = structlog.get_logger(__name__)

_CONTENT_TYPES = {**CONTENT_TYPES, **VIDEO_TYPES}
LARGEST = 100_000_000
"""Bytes of a picture that is read."""
METADATA_BYTES = 2048
"""Names and values of all user metadata together (S3 user guide, "Working with object metadata")."""
_PLAIN = " !#$&'()*+,/:;=?@[]{}|<>^`~\"\\"
"""ASCII that metadata show as it is; without `%`, which begins an encoded character."""


class S3:
    """Stores pictures as `<prefix>/YYYY/MM/DD/<camera>/<file>`, never over another one.

    Needs the permissions `s3:PutObject`, `s3:GetObject` and `s3:ListBucket`. A picture takes at most a few calls of
    two tries each, and `timeout` seconds in all.
    """

    title = "S3"
    Settings = S3Settings

    def __init__(self, settings: S3Settings, context: ArchiveContext = ArchiveContext()) -> None:  # noqa: B008 - frozen
        """Load boto3 and build the client; sends nothing. Raises `ArchiveBlocked` where settings make no sense."""
        self.name = context.name or "s3"
        self.concurrency = settings.concurrency
        self._settings = settings
        self._prefix = f"{settings.prefix.strip('/')}/".lstrip("/")
        self._conditional = True
        self._client = _client(settings)

    @staticmethod
    def permissions(settings: S3Settings) -> Sequence[Statement]:
        """What its login has to be allowed."""
        bucket, region = settings.bucket, settings.region
        objects = f"{settings.prefix.strip('/')}/".lstrip("/") + "*"
        return (
            Statement(("s3:GetObject", "s3:PutObject"), (bucket_arn(bucket, objects, region=region),)),
            # Not for this prefix only: S3 would answer that a picture is forbidden where it is missing.
            Statement(("s3:ListBucket",), (bucket_arn(bucket, region=region),)),
            *([use_of_key(settings.kms_key, region=region)] if settings.kms_key else []),
        )

    @property
    def url(self) -> str:
        """The bucket in Amazon's console, or its address on another server."""
        bucket, prefix = quote(self._settings.bucket), quote(self._prefix)
        host = urlsplit(self._client.meta.endpoint_url)
        if (host.hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn")):
            region = self._client.meta.region_name
            return f"https://console.aws.amazon.com/s3/buckets/{bucket}?region={region}&prefix={prefix}"
        return f"{host.scheme}://{host.netloc.rpartition('@')[2]}/{bucket}/{prefix}"

    def open(self) -> None:
        """Check that the bucket is there. Raises `ArchiveError`."""
        # Listing one distinguishes a missing bucket, a wrong key and a missing permission; HeadBucket does not.
        self._ask("list_objects_v2", Prefix=self._prefix, MaxKeys=1)

    def store(self, inspection: Inspection, picture: bytes) -> None:
        """Put a picture and verify the copy; an existing one is verified and left.

        Raises `ArchiveUnavailable`, `ArchiveBlocked` or `ArchiveRejected`.
        """
        with within(self._settings.timeout):
            self._store(self._prefix + inspection.snapshot.dated_name, inspection, picture)

    def read(self, inspection: Inspection) -> bytes:
        """The picture, which another replica may have stored under the same prefix. Raises `ArchiveError`."""
        with within(self._settings.timeout):
            found = self._ask("get_object", Key=self._prefix + inspection.snapshot.dated_name)
            if found["ContentLength"] > LARGEST:
                raise ArchiveRejected("too_large", f"The object has more than {LARGEST} bytes.")
            try:
                picture: bytes = found["Body"].read()
            except Exception as error:  # noqa: BLE001 - urllib3's and botocore's, of a connection that broke
                raise ArchiveUnavailable("unreachable", f"S3 broke off ({type(error).__name__}).") from None
        return picture

    def remove(self, inspection: Inspection) -> None:
        """Delete the objects of a picture, which needs `s3:DeleteObject`; a bucket with versions keeps those.

        Raises `ArchiveError`.
        """
        name = inspection.snapshot.dated_name.rpartition(".")[0]
        stem = self._prefix + name
        for entry in list(self._listed(stem)) if name else ():
            if entry["Key"].removeprefix(stem)[:1] in (".", "-"):
                self._ask("delete_object", Key=entry["Key"])

    def entries(self) -> Iterator[RemoteObject]:
        """Everything below the prefix, a thousand to a call. Raises `ArchiveError`."""
        digests: bool | None = None
        for entry in self._listed(self._prefix):
            if digests is None:
                digests = self._etag_is_md5(entry["Key"])
            name = entry["Key"].removeprefix(self._prefix)
            yield RemoteObject(event_id_in(name), name, entry["Size"], _md5_in(entry) if digests else "")

    def link(self, inspection: Inspection) -> str:
        """A link that opens its picture once it is stored, for a week or as long as the login lives; or empty."""
        from botocore.exceptions import BotoCoreError

        key = self._prefix + inspection.snapshot.dated_name
        try:
            with within(self._settings.timeout):
                return presigned(self._client, self._settings.bucket, key, seconds=LONGEST_S)[0]
        except BotoCoreError as error:
            log.warning("no link to a picture in the archive", target=self.name, reason=type(error).__name__)
            return ""

    def describe(self) -> str:
        """The bucket's address."""
        self.open()
        return self.url

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _store(self, key: str, inspection: Inspection, picture: bytes) -> None:
        if not self._conditional and self._holds(key, picture):
            return
        if self._put(key, inspection, picture, fresh=self._conditional) or self._holds(key, picture):
            return
        # Another object is there, and the key holds our event's id: a damaged copy.
        log.warning("wrong copy in the archive, sent again", target=self.name, event_id=inspection.id)
        if not self._put(key, inspection, picture, fresh=False) and not self._holds(key, picture):
            raise ArchiveUnavailable("wrong_copy", "S3 holds another picture than it was sent.")

    def _listed(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._ask("list_objects_v2", Prefix=prefix, **more)
            yield from page.get("Contents", ())
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _etag_is_md5(self, key: str) -> bool:
        """Not with KMS, which a bucket may use without our asking; one object is enough to know."""
        return not str(self._ask("head_object", Key=key).get("ServerSideEncryption", "")).startswith("aws:kms")

    def _put(self, key: str, inspection: Inspection, picture: bytes, *, fresh: bool) -> bool:
        """Put it; returns whether the answer proves that it arrived. With `fresh`, only where no object is yet."""
        md5 = hashlib.md5(picture, usedforsecurity=False)
        options: dict[str, Any] = {
            "Body": picture,
            "ContentType": _CONTENT_TYPES.get(key[key.rfind(".") :], "application/octet-stream"),
            "ContentMD5": base64.b64encode(md5.digest()).decode(),
            "ChecksumSHA256": _sha256(picture),
            "Metadata": metadata(inspection, sha256=_sha256(picture)),
            **_chosen(self._settings),
        }
        if fresh:
            options["IfNoneMatch"] = "*"
        try:
            answer = self._ask("put_object", Key=key, **options)
        except ArchiveError as error:
            if fresh and error.code == "exists":
                return False
            if fresh and error.code == "not_implemented":  # a server without conditional writes
                self._conditional = False
                return not self._holds(key, picture) and self._put(key, inspection, picture, fresh=False)
            raise
        return _md5_in(answer) == md5.hexdigest()

    def _holds(self, key: str, picture: bytes) -> bool:
        """Whether this very picture is there: by S3's checksum, its ETag, or the one in our metadata."""
        try:
            there = self._ask("head_object", Key=key, ChecksumMode="ENABLED")
        except ArchiveError as error:
            if error.code == "not_there":
                return False
            raise
        if there["ContentLength"] != len(picture):
            return False
        if "ChecksumSHA256" in there:
            return bool(there["ChecksumSHA256"] == _sha256(picture))
        if not str(there.get("ServerSideEncryption", "")).startswith("aws:kms") and _md5_in(there):
            return _md5_in(there) == hashlib.md5(picture, usedforsecurity=False).hexdigest()
        return bool(there.get("Metadata", {}).get("sha256") == _sha256(picture))

    def _ask(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        bucket = self._settings.bucket
        with within(self._settings.timeout):
            try:
                answer: Mapping[str, Any] = getattr(self._client, operation)(Bucket=bucket, **parameters)
            except ClientError as error:
                raise refusal(error.response, bucket) from None
            except BotoCoreError as error:
                raise failure(error, self._client.meta.endpoint_url, late=passed()) from None
            except RecursionError:  # botocore follows a server that redirects everything to itself
                raise ArchiveBlocked("wrong_region", "S3 sends us elsewhere for ever: set S3_REGION.") from None
            except (ResponseParserError, AttributeError, KeyError, TypeError, ValueError):
                # The last four come from botocore's parser, for XML that is not S3's.
                sentence = "Something answered that is not S3: check endpoint_url."
                raise ArchiveUnavailable("bad_answer", sentence) from None
        return answer


def metadata(inspection: Inspection, *, sha256: str) -> dict[str, str]:
    """User metadata of a picture: ASCII, other scripts percent-encoded, and not more than S3 accepts."""
    snapshot = inspection.snapshot
    values = {
        "event-id": snapshot.id,
        "time": snapshot.taken_at.isoformat(),
        "person-count": str(inspection.detection.person_count),
        "decision": inspection.decision,
        "sha256": sha256,
        "camera": _cut(snapshot.camera, 400),
        "place": _cut(snapshot.label, 400),
    }
    left = METADATA_BYTES - sum(len(name) + len(value) for name, value in values.items()) - len("labels")
    found = [f"{label.name} {label.confidence:.2f}" for label in inspection.detection.labels]
    values["labels"] = _cut(", ".join(found), left)
    return {name: value for name, value in values.items() if value}


def _cut(text: str, most: int) -> str:
    """Encoded, at most so many characters, and no character cut in two."""
    encoded = ""
    for character in " ".join(text.split()):
        piece = quote(character, safe=_PLAIN, errors="replace")
        if len(encoded) + len(piece) > most:
            break
        encoded += piece
    return encoded.strip()


def _sha256(picture: bytes) -> str:
    return base64.b64encode(hashlib.sha256(picture).digest()).decode()


def _md5_in(answer: Mapping[str, Any]) -> str:
    """The ETag if it can be an MD5: not of a multipart upload, nor of an object that KMS encrypted."""
    etag = str(answer.get("ETag", "")).strip('"').lower()
    kms = str(answer.get("ServerSideEncryption", "")).startswith("aws:kms")
    return "" if kms or len(etag) != 32 else etag


def _chosen(settings: S3Settings) -> dict[str, str]:
    options = {
        "StorageClass": settings.storage_class,
        "ServerSideEncryption": settings.encryption,
        "SSEKMSKeyId": settings.kms_key,
    }
    return {name: value for name, value in options.items() if value}


def _client(settings: S3Settings) -> S3Client:
    from botocore.exceptions import BotoCoreError

    from app.archives.s3.client import make_client

    try:
        return make_client(settings)
    except ValueError:
        raise ArchiveBlocked("invalid_endpoint", "endpoint_url is no address: it has to start with https://.") from None
    except BotoCoreError as error:
        raise failure(error, settings.endpoint_url) from None
