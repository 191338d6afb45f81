"""The sources of objects in buckets, and the bucket that browsers upload to."""

from __future__ import annotations

from collections.abc import Iterator

from app import wording
from app.cli.check.finding import Finding, Verdict
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal.objects import recorded_rejections
from app.sources import KINDS, CheckedSource
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
            remedy = wording.explain(error.code, of="trigger")[1] or CODES.get(error.code, ("", ""))[1]
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
