"""`snapshot-processor demo thumbnails`: a folder that goes to a bucket, and what becomes of each picture in it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.bootstrap.adapters import drawn_person
from app.bootstrap.service import Service
from app.cli.demo import free_port, is_free
from app.cli.pretended_aws import PretendedAws, pretended_aws
from app.cli.terminal import say
from app.config.settings import Settings
from app.media.formats import content_type_of
from pylib.observability.printable import printable
from pylib.runtime.periodic import Every, Periodic
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

EXAMPLE = Path(__file__).parents[2] / "examples/thumbnails/config.yml"
FOLDER, MAILS = Path("demo-pictures"), Path("demo-mails")
FIRST = "somebody at the door.jpg"
MESSAGES = "messages"
"""The queue that hears what the topic tells."""
KEPT = ("LOG_", "TIME_ZONE", "TZ", "WEB_HOST", "WEB_PASSWORD", "WEB_PORT", "WEB_PUBLIC_URL")
"""How the variables begin that the demo takes from its user: none that leads to a broker, an archive or an outlet."""
LOOKED_S = 0.5
"""Seconds between two looks at the folder, and at the queue."""


class Show:
    """Prints what happens, each with its time."""

    def __init__(self, settings: Settings) -> None:
        self._zone = local_zone(settings.time_zone)

    def line(self, what: str, text: str) -> None:
        """One line, or some."""
        first, *more = text.strip().splitlines() or [""]
        say(f"{datetime.now(self._zone):%H:%M:%S}  {what:<8} {first}")
        for line in more:
            say(f"{'':10}{'':8} {line}")


class SyncedFolder:
    """Sends to a bucket whatever picture is written into a folder."""

    def __init__(self, folder: Path, *, bucket: str, s3: Any, show: Show) -> None:
        self._folder = folder
        self._bucket = bucket
        self._s3 = s3
        self._show = show
        self._seen: dict[str, tuple[int, int]] = {}
        self._sent: dict[str, tuple[int, int]] = {}

    def sync(self) -> None:
        """Send the pictures that were not written to since the last look; each that cannot be sent is said once."""
        for path, key in self._pictures():
            with suppress(FileNotFoundError):
                stat = path.stat()
                state = stat.st_size, stat.st_mtime_ns
                if state == self._seen.get(key) and state != self._sent.get(key):
                    self._sent[key] = state
                    self._send(path, key)
                self._seen[key] = state

    def _pictures(self) -> Iterator[tuple[Path, str]]:
        """In all folders below this one, each with its key."""
        for folder, below, names in os.walk(self._folder):
            below[:] = sorted(name for name in below if not name.startswith("."))
            for name in sorted(names):
                if content_type_of(name) and not name.startswith("."):
                    path = Path(folder, name)
                    yield path, path.relative_to(self._folder).as_posix()

    def _send(self, path: Path, key: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            content = path.read_bytes()
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type_of(key))
        except FileNotFoundError:
            raise
        except (BotoCoreError, ClientError, OSError, ValueError) as error:  # the last one for a name that is no text
            self._show.line("not sent", f"{printable(key)}: {error}")
        else:
            self._show.line("bucket", f"s3://{self._bucket}/{key}")


class Topic:
    """Prints what the topic tells."""

    def __init__(self, queue: str, *, sqs: Any, show: Show) -> None:
        self._queue = queue
        self._sqs = sqs
        self._show = show

    def look(self) -> None:
        """Print what has come."""
        for message in self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", ()):
            told = json.loads(message["Body"])
            self._show.line("SNS", f"{told.get('Subject', '')}\n{told['Message']}")
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])


class Mailbox:
    """Takes all mails: prints each, and keeps it as a file."""

    def __init__(self, folder: Path, *, show: Show) -> None:
        self._folder = folder
        self._show = show

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.original_content or b""
        self._folder.mkdir(exist_ok=True)
        file = self._folder / f"{time.time_ns()}.eml"
        file.write_bytes(content)
        mail = message_from_bytes(content, policy=default)
        self._show.line("mail", f"{mail['subject']}, kept as {file}\n{_text_of(mail)}")
        return "250 kept"


def run_thumbnails_demo(prepare: Callable[[Path, Mapping[str, str]], Settings], *, version: str) -> int:
    """Run until Ctrl-C; returns the exit status.

    `prepare`: settings of a file and an environment, with everything around them set up.
    """
    from aiosmtpd.controller import Controller

    if not EXAMPLE.exists():
        raise click.ClickException("this demo is run in the folder of the source, which has examples/thumbnails")
    mail_port = free_port("127.0.0.1")
    with pretended_aws() as aws, tempfile.TemporaryDirectory(prefix="snapshot-processor-demo-") as data_dir:
        settings = _settings(prepare(EXAMPLE, demo_environment(os.environ, mail_port)), data_dir=Path(data_dir))
        show = Show(settings)
        folder, topic = _made(aws, settings, show)
        mailbox = Controller(Mailbox(MAILS, show=show), hostname="127.0.0.1", port=mail_port)
        mailbox.start()
        looks = {"demo folder": folder.sync, "demo topic": topic.look}
        jobs = [Periodic(name, look, Every(LOOKED_S)) for name, look in looks.items()]
        try:
            service = Service(settings, version=version, extra=jobs)
            service.open()
            _introduce(settings)
            return service.run()
        finally:
            mailbox.stop()
            (FOLDER / FIRST).unlink(missing_ok=True)
            with suppress(OSError):  # it has pictures of somebody's own
                FOLDER.rmdir()


def demo_environment(environ: Mapping[str, str], mail_port: int) -> Mapping[str, str]:
    """What the example is read with: its mails go to the demo's own mailbox, and nothing goes anywhere else."""
    kept = {name: value for name, value in environ.items() if name.startswith(KEPT)}
    return kept | {
        "PUBLISHER_1_NAME": "mail",
        "PUBLISHER_1_KIND": "apprise",
        "PUBLISHER_1_URL": f"mailto://127.0.0.1:{mail_port}/?from=cam@home.example&to=you@home.example",
    }


def _settings(settings: Settings, *, data_dir: Path) -> Settings:
    web = settings.web
    port = web.port if is_free(web.host, web.port) else free_port(web.host)
    return settings.model_copy(update={"data_dir": data_dir, "web": web.model_copy(update={"port": port})})


def _made(aws: PretendedAws, settings: Settings, show: Show) -> tuple[SyncedFolder, Topic]:
    """What the configuration names, and the folder with a first picture in it."""
    sources: Sequence[Any] = settings.sources
    publishers: Sequence[Any] = settings.publishers
    (source,), (thumbnails, topic, _) = sources, publishers
    bucket = source.buckets[0].bucket
    queue, topic_name = source.queue_url.rpartition("/")[2], topic.topic_arn.rpartition(":")[2]
    for name in (bucket, thumbnails.bucket):
        aws.bucket(name)
    aws.queue(queue)
    aws.announce(bucket, queue)
    messages = aws.queue(MESSAGES)
    aws.topic(topic_name, to=MESSAGES)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / FIRST).write_bytes(drawn_person())
    return (
        SyncedFolder(FOLDER, bucket=bucket, s3=aws.client("s3"), show=show),
        Topic(messages, sqs=aws.client("sqs"), show=show),
    )


def _introduce(settings: Settings) -> None:
    say(f"examples/thumbnails/config.yml, with Amazon played by moto in this process. Data in {settings.data_dir}")
    click.echo()
    say(f"Drop pictures here:  {FOLDER.resolve()}/")
    say("  Each goes to the bucket; its thumbnail is made, and a link to it comes by SNS and by mail.")
    say(f"The album:           {settings.web.own_url}/")
    say(f"The mails:           {MAILS.resolve()}/")
    click.echo("Ctrl-C ends it.\n")


def _text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""
