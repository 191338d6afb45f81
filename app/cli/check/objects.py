"""The sources that can be looked at before they run, and the bucket that browsers upload to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from app import wording
from app.cli.check.finding import Finding, Verdict
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.films.buckets import FilmBuckets, reading_of
from app.journal.objects import recorded_rejections
from app.sources import KINDS, CheckedSource, completed
from app.sources.buckets.reading import check
from app.sources.buckets.settings import BucketSourceSettings
from app.web.upload_bucket import UploadBucket
from pylib.aws.calls import CODES
from pylib.errors import Failure


def sources(settings: Settings) -> Iterator[Finding]:
    """Whether objects and triggers would come; nothing is received, read or changed."""
    journal = DataDir(settings.data_dir).journal
    for entry in settings.sources:
        subject, kind = f"source {entry.title}", KINDS.load(entry.kind)
        if not isinstance(kind, CheckedSource):
            continue
        try:
            for found in kind.check(completed(entry, settings.cameras)):
                verdict = Verdict.WARNING if found.remedy else Verdict.OK
                yield Finding(subject, verdict, found.text, found.remedy)
        except Failure as error:
            yield Finding(subject, Verdict.WRONG, str(error), _remedy(error.code, entry.kind))
        if not journal.exists():
            continue
        try:
            rejected = recorded_rejections(journal, entry.title)
        except Failure:
            continue  # of another release; what is wrong with it is said of the pictures
        if rejected.count:
            text = f"{rejected.count} message(s) were no events of a bucket; the newest: {rejected.reason}"
            remedy = "have nothing but the bucket's notifications sent to the queue"
            yield Finding(subject, Verdict.WARNING, text, remedy)


def _remedy(code: str, kind: str) -> str:
    own = wording.explain(code, of="trigger", kind=kind)[1]
    return own or CODES.get(code, ("", ""))[1] or wording.explain(code, of="camera")[1]


def running_films(settings: Settings) -> Iterator[Finding]:
    """Whether the buckets of running films are there; nothing is written."""
    for film in settings.running_films:
        subject = f"running film {film.name}"
        try:
            if film.buckets.pictures:
                yield from (Finding(subject, Verdict.OK, found.text) for found in check(reading_of(film.buckets)))
            if film.buckets.originals or film.buckets.films:
                yield Finding(subject, Verdict.OK, FilmBuckets(film.buckets).check())
        except Failure as error:
            yield Finding(subject, Verdict.WRONG, str(error), CODES.get(error.code, ("", ""))[1])


def upload_form(settings: Settings) -> Iterator[Finding]:
    """Whether what browsers send to the bucket would come back from there; nothing is sent."""
    web, own, subject = settings.web, settings.web.upload_bucket, "upload form"
    if not web.enabled or not own.bucket:
        return
    most = int(web.max_upload_mb * 1e6)
    try:
        with closing(UploadBucket(own, max_bytes=most)) as bucket:
            found = bucket.check()
        yield Finding(subject, Verdict.WARNING if found.remedy else Verdict.OK, found.text, found.remedy)
    except Failure as error:
        yield Finding(subject, Verdict.WRONG, str(error), CODES.get(error.code, ("", ""))[1])
    place = f"{own.bucket}/{own.prefix}"
    bringing = [entry for entry in settings.sources if isinstance(entry, BucketSourceSettings) and entry.covers(place)]
    if not bringing:
        remedy = f"add a source of kind sqs, bucket or bucket_amqp with {place} in its `buckets`"
        yield Finding(subject, Verdict.WARNING, f"no source brings in what is in {place}: it stays there", remedy)
    elif (largest := max(entry.max_bytes for entry in bringing)) < most:
        text = f"pictures of {largest / 1e6:g} to {web.max_upload_mb:g} MB are sent, and then refused as too_large"
        yield Finding(subject, Verdict.WARNING, text, "raise the source's `max_bytes`, or lower `web.max_upload_mb`")
