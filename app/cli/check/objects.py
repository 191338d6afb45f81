"""The sources of objects in buckets, and the bucket that browsers upload to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from app import wording
from app.cli.check.finding import Finding, Verdict
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal.objects import recorded_rejections
from app.sources import KINDS, CheckedSource
from app.sources.buckets.settings import BucketSourceSettings
from app.web.upload_bucket import UploadBucket
from pylib.aws.calls import CODES
from pylib.errors import Failure


def sources(settings: Settings) -> Iterator[Finding]:
    """Whether objects would come; nothing is received, read or changed."""
    journal = DataDir(settings.data_dir).journal
    for entry in settings.sources:
        subject, kind = f"source {entry.title}", KINDS.load(entry.kind)
        if not isinstance(kind, CheckedSource):
            continue
        try:
            for found in kind.check(entry):
                verdict = Verdict.WARNING if found.remedy else Verdict.OK
                yield Finding(subject, verdict, found.text, found.remedy)
        except Failure as error:
            remedy = wording.explain(error.code, of="trigger", kind=entry.kind)[1] or CODES.get(error.code, ("", ""))[1]
            yield Finding(subject, Verdict.WRONG, str(error), remedy)
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
