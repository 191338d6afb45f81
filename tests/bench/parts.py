"""What the parts of one event need alone: the picture, the detector, the file and the broker, each by itself."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import pika
import requests

from tests.bench.processes import NOBODY

GET, DETECT, WRITE, PUBLISH = "GET of the picture", "DetectLabels", "file write, fsync, rename", "publish"
QUEUE = "bench.parts"


class Parts:
    """Times each part, one after another, and keeps the durations."""

    def __init__(self, calls: dict[str, Callable[[], None]], drain: Callable[[], None]) -> None:
        self._calls = calls
        self._drain = drain
        self._took: dict[str, list[float]] = defaultdict(list)
        self._cpu: dict[str, list[float]] = defaultdict(list)

    def measure(self, times: int) -> None:
        """Do every part so many times, in turn."""
        for _ in range(times):
            for name, call in self._calls.items():
                began, cpu = time.perf_counter(), time.thread_time()
                call()
                self._took[name].append(time.perf_counter() - began)
                self._cpu[name].append(time.thread_time() - cpu)
            self._drain()

    def seconds(self, *names: str) -> float:
        """Medians of these parts, summed; of all when none is named."""
        return sum(median(self._took[name]) for name in names or self._calls)

    def cpu(self, *names: str) -> float:
        """The same of the calling thread's processor time."""
        return sum(median(self._cpu[name]) for name in names or self._calls)

    @property
    def names(self) -> list[str]:
        return list(self._calls)


@contextmanager
def parts(home: Path, *, picture_url: str, detector: int, broker: int) -> Iterator[Parts]:
    """The four parts, warmed up, for the servers at these ports."""
    with ExitStack() as stack:
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        picture = session.get(picture_url, timeout=10).content
        rekognition = boto3.client(
            "rekognition",
            endpoint_url=f"http://127.0.0.1:{detector}",
            region_name=NOBODY["AWS_DEFAULT_REGION"],
            aws_access_key_id=NOBODY["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=NOBODY["AWS_SECRET_ACCESS_KEY"],
        )
        channel = _confirming_channel(stack, broker)
        consumer = _consumer(stack, broker)
        calls: dict[str, Callable[[], None]] = {
            GET: lambda: _get(session, picture_url),
            DETECT: lambda: _ignore(rekognition.detect_labels(Image={"Bytes": picture})),
            WRITE: lambda: _write(home / "picture.jpg", picture),
            PUBLISH: lambda: _publish(channel, picture),
        }
        for call in calls.values():
            call()
        yield Parts(calls, lambda: consumer.process_data_events(0))


def _get(session: requests.Session, url: str) -> None:
    session.get(url, timeout=10).raise_for_status()


def _publish(channel: Any, body: bytes) -> None:
    persistent = pika.BasicProperties(delivery_mode=2)
    channel.basic_publish("", QUEUE, body, properties=persistent, mandatory=True)


def _write(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def _confirming_channel(stack: ExitStack, port: int) -> Any:
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    stack.callback(connection.close)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare(QUEUE, durable=True)
    stack.callback(channel.queue_delete, QUEUE)
    return channel


def _consumer(stack: ExitStack, port: int) -> Any:
    """Somebody takes what is published, as with the service's events; RabbitMQ confirms sooner then."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    stack.callback(connection.close)
    connection.channel().basic_consume(QUEUE, lambda *_: None, auto_ack=True)
    return connection


def _ignore(_: object) -> None:
    pass
