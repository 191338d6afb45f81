"""What happens to an animation that a guest keeps: it is stored, then mailed; each once, whatever is down meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from app.booth.guests import metadata
from app.booth.mail import Mailer
from app.booth.settings import BoothSettings
from app.booth.shelf import Shelf
from app.booth.words import words_of
from app.jobs import Keep, NotYet
from app.journal import Job
from pylib.aws.calls import CODES as AWS_CODES
from pylib.aws.calls import AwsFailure
from pylib.errors import Permanent, Transient
from pylib.files import durable

KIND = "booth"
DAY_S = 86_400.0
AWAY_S = 60.0
"""Seconds after which a bucket is asked again that could not be reached."""

CODES = {
    **AWS_CODES,
    "not_now": ("The booth is with another guest, or further on.", "nothing: its page follows by itself"),
    "bad_name": ("A guest's name is missing, or has more than 300 letters.", "type it again"),
    "bad_email": ("What a guest typed cannot be an e-mail address.", "type it again"),
    "no_consent": ("A guest did not agree.", "nothing: without consent nothing is kept"),
    "frame_picture": ("The setting `booth.frame_picture` names no usable PNG.", "correct it"),
    "no_segno": ("The package that draws the booth's QR codes is not installed.", "install the extra `booth`"),
    "booth_gone": ("The animation of a guest is no longer on the disk.", "nothing: somebody has deleted it"),
    "booth_disk": ("The folder for guests' animations cannot be written.", "look at the disk and `booth.folder`"),
    "mail_away": ("The booth's mail server could not be reached.", "nothing, if it passes: the service tries again"),
    "mail_login": ("The booth's mail server does not accept the login.", "correct `booth.mail`"),
    "mail_tls": ("No trusted connection to the booth's mail server.", "look at `booth.mail`, clock and certificate"),
    "mail_not_supported": ("The booth's mail server lacks STARTTLS, or takes no such address.", "set `booth.mail.tls`"),
    "mail_refused": ("The booth's mail server refuses a mail.", "look at `booth.mail.sender`"),
    "address_refused": ("The booth's mail server refuses a guest's address.", "the host has it in the export"),
}
"""Code -> what happened, and what to do about it."""


class BoothJobs:
    """Does the booth's jobs: `<guest id>` to store and mail, `<guest id>/delete` to delete what was stored.

    One kind for both, of which one is done at a time: so nothing is stored after it was deleted.
    """

    kind: ClassVar[str] = KIND
    title: ClassVar[str] = "Photo booth"

    def __init__(
        self, settings: BoothSettings, *, shelf: Shelf, file: Callable[[str], Path], mailer: Mailer | None = None
    ) -> None:
        """`file`: where a guest's animation lies, by their id."""
        self._settings = settings
        self._shelf = shelf
        self._file = file
        self._mailer = mailer or (Mailer(settings.mail) if settings.mail.host else None)

    def run(self, job: Job, keep: Keep) -> None:
        asked = job.arguments
        with _said():
            if job.key.endswith("/delete"):
                self._shelf.delete(asked["key"])
                return
            if not job.kept:
                self._store(job.key, asked)
                keep("stored", 0.5)
            if self._mailer is not None:
                self._mail(self._mailer, job.key, asked)

    def _store(self, guest: str, asked: Mapping[str, Any]) -> None:
        carried = {name: metadata(asked[name], of=name) for name in ("name", "email", "event") if asked[name]}
        self._shelf.put(asked["key"], durable.read(str(self._file(guest))), metadata=carried)

    def _mail(self, mailer: Mailer, guest: str, asked: Mapping[str, Any]) -> None:
        days, page = self._settings.link_days, asked["page"]
        link = self._shelf.link(asked["key"], seconds=days * DAY_S) or page
        words = words_of(asked["language"])
        lines = [words["mail_hello"].format(name=asked["name"]), words["mail_text"]]
        if link:
            lines += [link, words["mail_until"].format(days=f"{days:g}")]
        if page:
            lines.append(f"{words['mail_delete']}\n{page}")
        subject = " ".join(filter(None, (words["mail_subject"], asked["event"])))
        mailer.send(to=asked["email"], subject=subject, text="\n\n".join(lines) + "\n", message_id=guest)


@contextmanager
def _said() -> Iterator[None]:
    """What went wrong, as jobs are put off by it."""
    try:
        yield
    except AwsFailure as failure:
        if failure.passes:
            raise NotYet(failure.code, failure.sentence, after=AWAY_S) from None
        kind = Permanent if failure.kind == "refused" else Transient
        raise kind(failure.code, failure.sentence) from None
    except FileNotFoundError:
        raise Permanent("booth_gone", "the animation is no longer on the disk") from None
    except OSError as error:
        raise Transient("booth_disk", f"the booth's folder cannot be used: {error.strerror}") from None
