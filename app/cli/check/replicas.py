"""The checks of what replicas share at the broker."""

from __future__ import annotations

from collections.abc import Iterator

from app import wording
from app.bootstrap.replicas import names_of
from app.cli.amqp_client import AmqpClient
from app.cli.check.finding import Finding, Verdict
from app.config.settings import Settings
from app.sources.rabbitmq import subscription
from pylib.errors import Failure, Permanent
from pylib.files.lock import FolderInUse, FolderLock


def replicas(settings: Settings) -> Iterator[Finding]:
    """Every right that a replica needs, its name, and the queue that it may have left behind."""
    if not settings.replicas.group:
        return
    names, device = names_of(settings), settings.device_name
    try:
        with AmqpClient(settings.rabbitmq.broker, settings.rabbitmq) as client:
            for queue in names.queues:
                client.declare(queue)
            free = client.join(names.exchange, names.inbox(device), names.lead)
            left = subscription(settings.rabbitmq, app_name=settings.app_name).queue
            waiting = client.waiting(left) if settings.replicas.group != settings.rabbitmq.device_topic else None
        if not free and not _runs_here(settings):
            raise Permanent("same_device_name", f"another replica calls itself {device!r}")
    except Failure as error:
        subject: wording.Subject = "trigger" if error.code == "same_device_name" else "publisher"
        yield Finding("replicas", Verdict.WRONG, str(error), wording.explain(error.code, of=subject)[1])
        return
    own = "the name is free" if free else "this service is one of them"
    yield Finding("replicas", Verdict.OK, f"group {names.group!r}, {names.shards} shards; {device!r}: {own}")
    if waiting is not None:
        text = f"{left} still gets triggers, {waiting:,} wait there, and no replica reads it"
        remedy = f"set REPLICAS_GROUP={settings.rabbitmq.device_topic} to go on with it, or delete it: rabbitmqctl "
        yield Finding("replicas", Verdict.WARNING, text, f"{remedy}delete_queue {left}")


def _runs_here(settings: Settings) -> bool:
    lock = FolderLock(settings.data_dir)
    try:
        lock.acquire()
    except FolderInUse:
        return True
    lock.release()
    return False
