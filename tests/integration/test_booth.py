"""What guests keep, in a bucket as moto plays it and behind a real mail server that goes and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from app.booth.guests import Guest
from app.booth.jobs import BoothJobs
from app.booth.mail import Mailer
from app.booth.settings import BoothBucketSettings, BoothMailSettings
from app.booth.shelf import Bucket
from app.jobs import NotYet, Work
from app.journal import Journal
from pylib.errors import Permanent, Transient
from tests.aws import LOGIN, REGION, Aws
from tests.fakes.booth import BoothHouse
from tests.simulators.mailbox import Mailbox

NAMES = ("Ada & Ben 100%", "ليلى بنت محمد", "张伟", "É" * 300)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.start()
    yield box
    box.stop()


def mailer(box: Mailbox, **changes: Any) -> Mailer:
    given = {"host": "127.0.0.1", "port": box.port, "tls": "off", "sender": "booth@example.org", **changes}
    return Mailer(BoothMailSettings(**given))


def send(by: Mailer, to: str = "ada@example.org") -> None:
    by.send(to=to, subject="Deine Bilder", text="für dich", message_id="1")


def test_guests_get_their_own_whatever_is_away_meanwhile(
    aws: Aws, mailbox: Mailbox, tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    aws.client("s3").create_bucket(Bucket="booth", CreateBucketConfiguration={"LocationConstraint": REGION})
    settings = BoothBucketSettings(bucket="booth", endpoint_url=aws.url, path_style=True, region=REGION)
    house = BoothHouse(tmp_path, journal, event="Anna & Tom Ä")
    file = lambda guest: house.media.path(guest, "animation.gif")  # noqa: E731
    bucket = Bucket(settings)
    house.work = Work([BoothJobs(house.settings, shelf=bucket, file=file, mailer=mailer(mailbox))], journal=journal)
    guests = {}
    for number, name in enumerate(NAMES):
        mailbox.stop()
        guest = house.keep(Guest(name, f"guest{number}@example.org"))
        guests[guest] = (name, f"guest{number}@example.org")
        house.leave(guest)
        house.do_jobs()
        assert house.booth.kept.delivery(guest) == "later"
        mailbox.start()
        job = journal.job("booth", guest)
        assert job is not None
        journal.retry_job(job.seq)
        house.do_jobs()
    listed = aws.client("s3").list_objects_v2(Bucket="booth")["Contents"]
    heads = {one["Key"]: aws.client("s3").head_object(Bucket="booth", Key=one["Key"]) for one in listed}
    assert len(heads) == len(mailbox.mails) == len(NAMES)
    for mail in mailbox.mails:
        guest = mail["message-id"].strip("<>").partition("@")[0]
        name, email = guests[guest]
        text = mail.get_content()
        assert mail["to"] == email
        assert f"Hello {name}," in text
        (link,) = [line for line in text.splitlines() if line.startswith(aws.url)]
        assert requests.get(link, timeout=10).content == file(guest).read_bytes()  # type: ignore[no-untyped-call]
        (key,) = [key for key in heads if guest in key]
        assert heads[key]["ContentType"] == "image/gif"
        metadata = heads[key]["Metadata"]
        assert metadata["snapshot-processor"] == "booth"
        assert (metadata["email"], unquote(metadata["event"])) == (email, "Anna & Tom Ä")
        assert name.startswith(unquote(metadata["name"]))
    house.shelf.kept.clear()
    bucket.delete(next(iter(house.booth.kept.guests()))[3])
    assert len(aws.client("s3").list_objects_v2(Bucket="booth")["Contents"]) == len(NAMES) - 1


def test_the_mail_server_s_answers_decide(mailbox: Mailbox) -> None:
    for answer, wanted in (("451 later", Transient), ("554 never", Permanent)):
        mailbox.answer = answer
        with pytest.raises(wanted, match="mail_refused"):
            send(mailer(mailbox))
    mailbox.answer = ""
    with pytest.raises(Permanent, match="mail_not_supported"):
        send(mailer(mailbox, tls="starttls"))
    send(mailer(mailbox), to="ada@bücher.example")
    assert mailbox.mails[0]["to"] == "ada@xn--bcher-kva.example"
    mailbox.stop()
    with pytest.raises(NotYet, match="mail_away"):
        send(mailer(mailbox))
