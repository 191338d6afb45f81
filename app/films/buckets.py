"""The buckets of a running film: pictures come from one, dated originals go to another, and the film to a third."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO

from app.films.pictures import MOST_BYTES, SUFFIXES, looked_at
from app.films.running_settings import BucketPlace, FilmBucketsSettings
from app.journal import FilmPicture
from app.media.formats import content_type_of
from app.media.picture import MAX_PIXELS
from app.messages import ObjectCreated
from app.pipeline.collect import OUR_MARKS, ObjectContent, ObjectRejected
from app.sources.buckets.notifications import FoundObject
from app.sources.buckets.reading import ObjectStore
from app.sources.buckets.settings import BucketSourceSettings, WatchedBucket
from pylib.aws.calls import CODES as AWS_CODES
from pylib.aws.calls import AwsClient, AwsFailure
from pylib.aws.policy import Statement, bucket_arn
from pylib.errors import Permanent, Transient

CODES = AWS_CODES
"""Code -> what happened, and what to do about it; those of reading stand in `app.sources.buckets.reading`."""

MARK = "snapshot-processor"
"""The user metadata of what we write ourselves, which no source takes for input."""
VERSION = "version"
"""The user metadata that says which content an object has."""
SLOWEST = 100_000
"""Bytes a second that a film is sent at least."""


class BucketPictures:
    """Objects of a bucket, below a prefix; nothing is changed there."""

    def __init__(
        self,
        settings: FilmBucketsSettings,
        *,
        known: Callable[[str], Mapping[str, str]],
        zone: tzinfo,
        max_pixels: int = MAX_PIXELS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`known`: the versions of the objects that a film was offered, by name; `zone`: the one of cameras' clocks."""
        self._watched = WatchedBucket(bucket=settings.pictures.bucket, prefix=settings.pictures.prefix)
        self._store = ObjectStore(reading_of(settings), source="running film")
        self._known = known
        self._zone = zone
        self._max_pixels = max_pixels
        self._now = now

    def new(self, film: str) -> Iterator[FilmPicture]:
        known = self._known(film)
        for found in self._objects():
            name = found.key.removeprefix(self._watched.prefix)
            if name.lower().endswith(SUFFIXES) and known.get(name) != found.etag:
                yield from self._looked_at(name, found.etag)

    def read(self, name: str) -> bytes | None:
        try:
            return self._content(name).data
        except ObjectRejected:
            return None

    def _objects(self) -> Iterator[FoundObject]:
        token = ""
        while True:
            page = self._store.page(self._watched, token)
            yield from page.objects
            if not page.token or page.token == token:
                return
            token = page.token

    def _looked_at(self, name: str, etag: str) -> Iterator[FilmPicture]:
        try:
            content = self._content(name, etag)
        except ObjectRejected as error:
            if error.code not in ("object_gone", "object_changed"):  # else the next look sees what is there then
                yield FilmPicture(name, "broken", version=etag, problem=f"It cannot be read: {error.detail}.")
            return
        if any(mark in content.metadata for mark in OUR_MARKS):
            yield FilmPicture(name, "passed", version=etag, problem="This service wrote it itself.")
            return
        now = self._now()
        yield looked_at(name, content.data, version=etag, zone=self._zone, now=now, max_pixels=self._max_pixels)

    def _content(self, name: str, etag: str = "") -> ObjectContent:
        watched, now = self._watched, self._now()
        key = watched.prefix + name
        return self._store.read(ObjectCreated("", "", "", "", watched.bucket, key, timestamp=now, etag=etag))


class FilmBuckets:
    """Where originals and the film go. Raises `Transient` or `Permanent` where they cannot."""

    def __init__(self, settings: FilmBucketsSettings) -> None:
        """Load boto3 and build the client; sends nothing. Raises `Permanent`."""
        self._settings = settings
        try:
            self._s3 = AwsClient("s3", settings, title="S3", path_style=settings.path_style)
        except AwsFailure as failure:
            raise Permanent(failure.code, f"buckets of a running film: {failure.sentence}") from None

    @staticmethod
    def permissions(settings: FilmBucketsSettings) -> Iterator[Statement]:
        """To read the pictures, and to write the rest unless it is there."""
        for place in filter(None, (settings.pictures, settings.originals, settings.films)):
            objects = bucket_arn(place.bucket, f"{place.prefix}*", region=settings.region)
            actions = ("s3:GetObject",) if place is settings.pictures else ("s3:GetObject", "s3:PutObject")
            yield Statement(actions, (objects,))
            yield Statement(("s3:ListBucket",), (bucket_arn(place.bucket, region=settings.region),))

    def keep_original(self, name: str, data: bytes) -> None:
        """Have a picture under its date."""
        kind = content_type_of(name) or "application/octet-stream"
        version = hashlib.blake2b(data, digest_size=16).hexdigest()
        self._put(self._settings.originals, name, data, kind=kind, version=version)

    def keep_film(self, path: Path) -> None:
        """Have the film as it is now."""
        if not self._settings.films:
            return
        found = path.stat()
        version = f"{found.st_size}-{found.st_mtime_ns}"
        with path.open("rb") as film:
            slowest = found.st_size / SLOWEST
            self._put(self._settings.films, path.name, film, kind="video/mp4", version=version, slowest=slowest)

    def check(self) -> str:
        """See by calls that change nothing whether the buckets are there. Raises `Transient` or `Permanent`."""
        places = [place for place in (self._settings.originals, self._settings.films) if place]
        for place in places:
            self._asked(place, "head_bucket")
        return ", ".join(f"{place.bucket}/{place.prefix} is there" for place in places)

    def _put(
        self, place: BucketPlace, name: str, body: bytes | IO[bytes], *, kind: str, version: str, slowest: float = 0
    ) -> None:
        if not place or self._version(place, name) == version:
            return
        self._asked(
            place,
            "put_object",
            timeout=self._settings.timeout + slowest,
            Key=place.prefix + name,
            Body=body,
            ContentType=kind,
            Metadata={MARK: "film", VERSION: version},
        )

    def _version(self, place: BucketPlace, name: str) -> str:
        """Of what is there; empty where there is nothing."""
        try:
            head = self._s3.ask("head_object", Bucket=place.bucket, Key=place.prefix + name)
        except AwsFailure as failure:
            if failure.kind == "missing":
                return ""
            raise _said(failure, place) from None
        return str(head.get("Metadata", {}).get(VERSION, ""))

    def _asked(self, place: BucketPlace, operation: str, **parameters: object) -> None:
        try:
            self._s3.ask(operation, Bucket=place.bucket, **parameters)  # type: ignore[arg-type]
        except AwsFailure as failure:
            raise _said(failure, place) from None


def reading_of(settings: FilmBucketsSettings) -> BucketSourceSettings:
    """How the pictures are read."""
    place = settings.pictures
    return BucketSourceSettings(
        buckets=(WatchedBucket(bucket=place.bucket, prefix=place.prefix),),
        max_bytes=MOST_BYTES,
        region=settings.region,
        endpoint_url=settings.endpoint_url,
        timeout=settings.timeout,
        path_style=settings.path_style,
    )


def _said(failure: AwsFailure, place: BucketPlace) -> Permanent | Transient:
    kind = Permanent if failure.kind == "refused" else Transient
    return kind(failure.code, f"bucket {place.bucket}: {failure.sentence}")
