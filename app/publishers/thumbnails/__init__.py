"""Thumbnails in a bucket: one or several of each picture, and links that open them for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import structlog

from app.media.picture import BadPicture
from app.media.thumbnail import Wanted, shrink
from app.messages import Inspection, Snapshot
from app.publishers import Link, PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.pictures import CODES as PICTURE_CODES
from app.publishers.thumbnails.names import key_of
from app.publishers.thumbnails.settings import ThumbnailsSettings
from app.publishers.thumbnails.shelf import Shelf
from pylib.aws.calls import CODES as AWS_CODES
from pylib.aws.calls import AwsClient, AwsFailure
from pylib.aws.policy import Statement, bucket_arn
from pylib.files import durable
from pylib.net.deadline import within
from pylib.runtime.key_locks import KeyedLock
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

REMEMBERED = 2000
"""Events whose thumbnails are known to be there: their messages need not ask the bucket."""
LONGEST_S = 240.0
"""Seconds that all thumbnails of one picture may take."""
DAY_S = 86_400.0
WEEK_S = 7 * DAY_S
"""How long a thumbnail is tried that only a person can help: to a permission, or to a disk that reads again."""

CODES = {
    **AWS_CODES,
    **PICTURE_CODES,
    "bad_picture": ("No thumbnail can be made of the picture.", "look at the picture: it may be damaged"),
    "picture_unreadable": ("The picture in the cache cannot be read now.", "look at the disk"),
    "name_taken": (
        "An object that is no thumbnail has the thumbnail's name. It was left alone.",
        "choose another `prefix` or `key`",
    ),
}
"""Code -> what happened, and what to do about it."""

_OF_A_BUCKET = ("access_denied", "not_found", "wrong_region")
"""Codes that say nothing about another bucket than the one that was called upon."""


class Thumbnails:
    """The thumbnails of one configuration."""

    title = "thumbnails in a bucket"
    notifies = False
    Settings = ThumbnailsSettings

    def __init__(self, settings: ThumbnailsSettings, context: PublisherContext) -> None:
        """Load boto3 and build the client; sends nothing. Raises `PublishError`."""
        self.name = context.name
        self.threads: Sequence[ManagedThread] = ()
        self.concurrency = settings.concurrency
        self.abandon_after: Mapping[str, float] = {"call_refused": DAY_S, "picture_unreadable": WEEK_S} | (
            {} if settings.bucket else dict.fromkeys(_OF_A_BUCKET, WEEK_S)
        )
        self._settings = settings
        self._context = context
        self._sizes = dict(zip(settings.sizes, _wanted(settings), strict=True))
        self._cameras = {_small(name) for name in settings.cameras}
        self._turns = KeyedLock()
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, str] = OrderedDict()
        """Event id -> key of the first size."""
        try:
            self._client = AwsClient(
                "s3", settings, title="S3", pool=settings.concurrency + 1, path_style=settings.path_style
            )
        except AwsFailure as failure:
            raise PublishError(failure.code, failure.sentence) from None
        self._shelf = Shelf(self._client, cache_control=settings.cache_control, order_of=context.order_of)

    @staticmethod
    def permissions(settings: ThumbnailsSettings) -> Sequence[Statement]:
        """What its login has to be allowed; in every bucket where the setting names none."""
        objects = bucket_arn(settings.bucket or "*", f"{settings.below}*", region=settings.region)
        bucket = bucket_arn(settings.bucket or "*", region=settings.region)
        # Without listing, S3 calls an object that is not there a forbidden one.
        return (Statement(("s3:GetObject", "s3:PutObject"), (objects,)), Statement(("s3:ListBucket",), (bucket,)))

    def check(self) -> str:
        """Whether the bucket is there; whether it may be written is not tried. Raises `PublishError`."""
        bucket = self._settings.bucket
        if not bucket:
            return "in the bucket that each picture is in"
        try:
            self._client.ask("list_objects_v2", Bucket=bucket, Prefix=self._settings.below, MaxKeys=1)
        except AwsFailure as failure:
            raise PublishError(failure.code, f"bucket {bucket}: {failure.sentence}") from None
        return f"bucket {bucket}"

    def publish(self, inspection: Inspection) -> None:
        """Have all thumbnails of its picture in the bucket. Raises `PublishUnavailable` or `PublishRejected`."""
        if self._wants(inspection.snapshot):
            self._keep(inspection.snapshot)

    def stored(self, inspection: Inspection) -> Link | None:
        """A link to its first thumbnail, which is in the bucket by then; None where there will be none.

        Raises `PublishUnavailable`.
        """
        snapshot = inspection.snapshot
        if not self._wants(snapshot):
            return None
        try:
            key = self._keep(snapshot)
            return Link(*self._client.link(self._bucket(snapshot), key, seconds=self._settings.link_lifetime))
        except PublishRejected as rejected:
            log.warning("message goes without a link to a thumbnail", event_id=inspection.id, reason=str(rejected))
            return None
        except AwsFailure as failure:
            raise self._unavailable(failure) from None

    def _unavailable(self, failure: AwsFailure) -> PublishUnavailable:
        of_one = failure.code == "call_refused" or (not self._settings.bucket and failure.code in _OF_A_BUCKET)
        return PublishUnavailable(failure.code, failure.sentence, outage=not of_one)

    def _wants(self, snapshot: Snapshot) -> bool:
        if not snapshot.path or not self._bucket(snapshot):
            return False
        return not self._cameras or not self._cameras.isdisjoint(_spellings(snapshot))

    def _bucket(self, snapshot: Snapshot) -> str:
        return self._settings.bucket or snapshot.bucket

    def _keep(self, snapshot: Snapshot) -> str:
        """Have them in the bucket, each made once; returns the key of the first."""
        with self._turns.take(snapshot.id):
            with self._lock:
                known = self._kept.get(snapshot.id)
            if known is not None:
                return known
            try:
                with within(LONGEST_S):
                    key = self._make(snapshot)
            except AwsFailure as failure:
                raise self._unavailable(failure) from None
            except BadPicture as bad:
                raise PublishRejected("bad_picture", bad.detail) from None
            with self._lock:
                self._kept[snapshot.id] = key
                if len(self._kept) > REMEMBERED:
                    self._kept.popitem(last=False)
        return key

    def _make(self, snapshot: Snapshot) -> str:
        settings, picture, keys = self._settings, _read(snapshot), []
        zone, below, bucket = self._context.zone, settings.below, self._bucket(snapshot)
        for size, wanted in self._sizes.items():
            made = shrink(picture, wanted, max_pixels=self._context.max_pixels)
            keys.append(key_of(settings.key, snapshot, below=below, size=size, kind=made.format, zone=zone))
            if (bucket, keys[-1]) == (snapshot.bucket, snapshot.object_key):
                raise PublishRejected("name_taken", "The thumbnail would have the name of its own picture.")
            self._shelf.put(bucket, keys[-1], made, snapshot)
        return keys[0]


def _wanted(settings: ThumbnailsSettings) -> list[Wanted]:
    return [
        Wanted(
            width,
            height,
            cover=settings.mode == "cover",
            format="" if settings.format == "same" else settings.format.upper(),
            quality=settings.quality,
            keep_metadata=settings.keep_metadata,
        )
        for width, height in settings.boxes
    ]


def _read(snapshot: Snapshot) -> bytes:
    try:
        return durable.read(snapshot.path)
    except FileNotFoundError:
        raise PublishRejected("picture_missing", "The picture was deleted before its thumbnail was made.") from None
    except OSError as error:
        raise PublishUnavailable(
            "picture_unreadable", f"The picture cannot be read: {error.strerror}.", outage=False
        ) from None


def _spellings(snapshot: Snapshot) -> tuple[str, str]:
    """A camera's device key, and its form in addresses, which is its folder's name in the cache."""
    return _small(snapshot.camera), PurePath(snapshot.path).parent.name


def _small(name: str) -> str:
    return " ".join(name.split()).casefold()
