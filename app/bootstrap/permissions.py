"""What every configured part needs to be allowed in AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app import archives, detectors, publishers, sources
from app.archives.google_drive.token_backup import TokenBackup
from app.booth.shelf import Bucket
from app.bootstrap.adapters import archive_entries, detector_settings, publisher_entries
from app.config.settings import Settings
from app.films.buckets import FilmBuckets
from app.web.upload_bucket import UploadBucket
from pylib.aws.policy import CallsAws, Statement


def permissions(settings: Settings) -> dict[str, Sequence[Statement]]:
    """The least for each part that calls AWS, by its name for people; empty where none does."""
    found = {name: tuple(kind.permissions(own)) for name, kind, own in _parts(settings) if isinstance(kind, CallsAws)}
    return {name: statements for name, statements in found.items() if statements}


def _parts(settings: Settings) -> Iterator[tuple[str, object, Any]]:
    """Name, class and settings."""
    for source in settings.sources:
        yield f"source {source.title}", sources.KINDS.load(source.kind), source
    for detector in detector_settings(settings):
        yield f"detector {detector.kind}", detectors.KINDS.load(detector.kind), detector
    for kind, name, own in publisher_entries(settings):
        yield f"publisher {name}", publishers.KINDS.load(kind), own
    for kind, name, own in archive_entries(settings):
        yield f"archive {name}", archives.KINDS.load(kind), own
    if settings.google_drive.folder and settings.backup_s3_bucket:
        yield "copy of Google Drive's token", TokenBackup, settings.backup_s3_bucket
    if settings.web.upload_bucket.bucket:
        yield "upload form", UploadBucket, settings.web.upload_bucket
    for film in settings.running_films:
        if film.buckets:
            yield f"running film {film.name}", FilmBuckets, film.buckets
    if settings.booth.enabled and settings.booth.bucket.bucket:
        yield "photo booth", Bucket, settings.booth.bucket
