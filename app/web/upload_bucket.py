"""The bucket that browsers upload to: forms that S3 accepts for a while (its API reference, "POST Object")."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import quote, urlsplit

from app.media.formats import CONTENT_TYPES, OTHER_SUFFIXES
from app.naming import slug
from app.pipeline.collect import FILE_NAME
from app.sources import Found
from app.web.errors import BadGateway, BadRequest
from app.web.settings import UploadBucketSettings
from pylib.aws import KEYS
from pylib.aws.calls import AwsClient, AwsFailure
from pylib.aws.policy import Statement, bucket_arn
from pylib.errors import Permanent

METADATA_BYTES = 2048
"""Names and values of all user metadata together (S3 user guide, "Working with object metadata")."""
LONGEST_NAME = 100
"""Characters of a file's name that its key keeps, the last ones."""


class UploadBucketBlocked(Permanent):
    """The settings of the bucket make no sense."""


@dataclass(frozen=True, slots=True)
class PostForm:
    """A form for one file."""

    url: str
    """Where to send it."""
    fields: Mapping[str, str]
    """In this order, before the file, which the form calls `file`."""
    bucket: str
    key: str
    """What the object will be called."""
    until: datetime
    """When the bucket no longer accepts it (UTC); sooner where the AWS login ends sooner."""


class UploadBucket:
    """Signs forms. Every method may be called from any thread."""

    def __init__(
        self,
        settings: UploadBucketSettings,
        *,
        max_bytes: int,
        zone: tzinfo = UTC,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Load boto3 and build the client; sends nothing. Raises `UploadBucketBlocked`."""
        self._settings = settings
        self._max_bytes = max_bytes
        self._zone = zone
        self._now = now
        try:
            self._s3 = AwsClient("s3", settings, title="S3", path_style=settings.path_style)
            self.address = self._address()
            """Where forms go, as the pages' content policy names it."""
        except AwsFailure as failure:
            raise UploadBucketBlocked(failure.code, f"web.upload_bucket: {failure.sentence}") from None

    @staticmethod
    def permissions(settings: UploadBucketSettings) -> Sequence[Statement]:
        """To write below the prefix; browsers do so in our name."""
        return (
            Statement(("s3:PutObject",), (bucket_arn(settings.bucket, f"{settings.prefix}*", region=settings.region),)),
        )

    def check(self) -> Found:
        """Whether the bucket is there; whether it may be written is not tried. Raises `UploadBucketBlocked`."""
        bucket = f"bucket {self._settings.bucket}"
        try:
            self._s3.ask("list_objects_v2", Bucket=self._settings.bucket, Prefix=self._settings.prefix, MaxKeys=1)
        except AwsFailure as failure:
            if failure.kind == "denied":
                remedy = "see whether a picture arrives; `snapshot-processor iam` prints what it takes"
                return Found(f"{bucket}: this login may not list it, which uploads do not need", remedy)
            raise UploadBucketBlocked(failure.code, f"{bucket}: {failure.sentence}") from None
        return Found(bucket)

    def form(self, *, camera: str, name: str, content_type: str, note: str = "") -> PostForm:
        """A form for one picture. `camera`: a device key; `name`: the file's. Raises `BadRequest`, `BadGateway`."""
        metadata = {"x-amz-meta-camera": quote(camera, safe=""), "x-amz-meta-note": quote(note, safe="")}
        if _size(metadata) > METADATA_BYTES:
            raise BadRequest("note_too_long", "note: a bucket keeps no note that long: shorten it")
        named = metadata | {f"x-amz-meta-{FILE_NAME}": quote(name, safe="")}  # beside a long note there is no room
        metadata = named if _size(named) <= METADATA_BYTES else metadata
        now, settings = self._now(), self._settings
        day = f"{now.astimezone(self._zone):%Y-%m-%d}"
        key = f"{settings.prefix}{slug(camera)}/{day}/{uuid.uuid4().hex}-{plain_name(name, content_type)}"
        fields = {"Content-Type": content_type, **{name: value for name, value in metadata.items() if value}}
        try:
            made = self._s3.ask(
                "generate_presigned_post",
                Bucket=settings.bucket,
                Key=key,
                Fields=fields,
                Conditions=[["content-length-range", 1, self._max_bytes], *({name: fields[name]} for name in fields)],
                ExpiresIn=settings.lifetime,
            )
        except AwsFailure as failure:
            if failure.code == "bad_answer":  # nothing was asked: botocore stumbles over a login that is not there
                raise BadGateway("no_credentials", f"There is no AWS login: {KEYS}.") from None
            raise BadGateway(failure.code, failure.sentence) from None
        until = now + timedelta(seconds=settings.lifetime)
        return PostForm(made["url"], made["fields"], settings.bucket, key, until)

    def close(self) -> None:
        """Close the connections."""
        self._s3.close()

    def _address(self) -> str:
        """Of the bucket alone, also where it shares its host with others. Needs no login."""
        from botocore.handlers import disable_signing

        self._s3.boto.meta.events.register("choose-signer.s3.HeadBucket", disable_signing)
        url = self._s3.ask(
            "generate_presigned_url", ClientMethod="head_bucket", Params={"Bucket": self._settings.bucket}
        )
        address = urlsplit(str(url))
        return f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}"


def _size(metadata: Mapping[str, str]) -> int:
    return sum(len(name.removeprefix("x-amz-meta-")) + len(value) for name, value in metadata.items())


def plain_name(name: str, content_type: str) -> str:
    """A file's name as keys and addresses may carry it, with a suffix that says what it is."""
    stem, dot, end = name.rpartition(".")
    suffix = f"{dot}{end.lower()}"
    if suffix not in (*CONTENT_TYPES, *OTHER_SUFFIXES):
        stem, suffix = name, _SUFFIXES.get(content_type, "")
    plain = re.sub(r"[^\w-]+", "-", stem).strip("-")[-LONGEST_NAME:]
    return f"{plain or 'picture'}{suffix}"


_SUFFIXES = {content_type: suffix for suffix, content_type in CONTENT_TYPES.items()}
