"""Objects in buckets: each becomes one event, whatever is written, repeated, out of order, or killed meanwhile."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from hashlib import md5
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from pylib import sqlite
from tests.aws import LOGIN, Aws, message
from tests.e2e.conftest import Launch
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess, until

OBJECTS = int(os.environ.get("SNAPSHOT_TEST_OBJECTS", "300"))
"""Written at once; SNAPSHOT_TEST_OBJECTS=1000 for a longer run."""
KILLS = 3
WRITTEN_TWICE = 5
"""Keys whose two events come in the wrong order."""
REPEATED = 20
"""Objects that are announced five times."""


def keys(count: int) -> list[str]:
    """Blanks, plus signs, umlauts, percent signs, brackets, 1,024 bytes; all different."""
    shapes = (
        "yard/plain-{}.jpg",
        "yard/with  blanks {}.jpg",
        "yard/1+1={}.jpg",
        "Gärten/Größe {} ñ日本.jpg",
        "yard/100%25 {}%.jpg",
        "yard/a&b=c?d#{}'(1)*.jpeg",
        "yard/{:x>1015}.jpg",
    )
    return [shapes[number % len(shapes)].format(number) for number in range(count)]


def source(aws: Aws, bucket: str, queue_url: str, **settings: Any) -> dict[str, Any]:
    """An entry of `sources`."""
    return {
        "kind": "sqs",
        "name": "pictures",
        "queue_url": queue_url,
        "buckets": [{"bucket": bucket}],
        "endpoint_url": aws.url,
        "path_style": True,
        **settings,
    }


def rows(service: ServiceProcess, query: str) -> list[tuple[Any, ...]]:
    """What the journal has."""
    journal = Path(service.environment["DATA_DIR"]) / "journal.db"
    with suppress(sqlite.DatabaseUnusable), sqlite.reading(journal) as db, closing(db.execute(query)) as found:
        return found.fetchall()
    return []


def events(service: ServiceProcess) -> dict[str, str]:
    """Key of each object -> the problem of its event."""
    found = rows(service, "SELECT object_key, problem FROM snapshots WHERE state = 'inspected'")
    assert max(Counter(key for key, _ in found).values(), default=1) == 1, "an object is two events"
    return dict(found)


def emptied(aws: Aws, queue_url: str) -> bool:
    """Whether nothing is in a queue; if not, what a killed process still has in hand comes again."""
    if aws.waiting(queue_url) == 0:
        return True
    time.sleep(0.5)  # a look costs as much as some objects
    aws.let_time_pass(queue_url)
    return False


@pytest.fixture
def queue_url(aws: Aws, name: str) -> Iterator[str]:
    url = aws.queue(name)
    yield url
    aws.client("sqs").delete_queue(QueueUrl=url)


def test_each_object_is_one_event_through_repetitions_disorder_and_kills(
    aws: Aws, launch: Launch, name: str, queue_url: str
) -> None:
    s3, sqs = aws.client("s3"), aws.client("sqs")
    bucket, disorder = aws.bucket(name), aws.bucket(f"{name}-disorder")
    aws.announce(bucket, queue_url)
    wanted = keys(OBJECTS)
    assert max(len(key.encode()) for key in wanted) == 1024
    picture = jpeg(16, 12)

    for number in range(WRITTEN_TWICE):
        etags = []
        for content in (picture, jpeg(24, 18)):
            s3.put_object(Bucket=disorder, Key=f"twice {number}.jpg", Body=content)
            etags.append(md5(content, usedforsecurity=False).hexdigest())
        for sequencer, etag in (("0A9", etags[1]), ("0B", etags[0]), ("0A9", etags[1])):
            body = message(disorder, quote_plus(f"twice {number}.jpg"), sequencer=sequencer, etag=etag)
            sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    service = launch(
        environment=LOGIN,
        sources=[source(aws, bucket, queue_url, buckets=[{"bucket": bucket}, {"bucket": disorder, "camera": "Twice"}])],
    )
    service.start()
    with ThreadPoolExecutor(8) as pool:
        written = [pool.submit(s3.put_object, Bucket=bucket, Key=key, Body=picture) for key in wanted]
        for key in wanted[:REPEATED] * 4:
            body = message(bucket, quote_plus(key, safe="/"), etag=md5(picture, usedforsecurity=False).hexdigest())
            pool.submit(sqs.send_message, QueueUrl=queue_url, MessageBody=body)
        for stage in range(1, KILLS + 1):
            until(lambda stage=stage: len(events(service)) >= OBJECTS * stage // (KILLS + 2), what="some are done")
            time.sleep(random.uniform(0, 0.1))  # anywhere in the middle of something
            service.kill()
            aws.let_time_pass(queue_url)
            service.start()
        assert all(one.result() for one in written)

    expected = {*wanted, *(f"twice {number}.jpg" for number in range(WRITTEN_TWICE))}
    until(lambda: emptied(aws, queue_url), timeout=120, what="the queue is empty")
    until(lambda: len(events(service)) == len(expected))
    assert events(service) == dict.fromkeys(expected, "")
    assert rows(service, "SELECT count(*) FROM bucket_objects WHERE outcome = '' OR attempts > 0") == [(0,)]
    on_disk = list((Path(service.environment["DATA_DIR"]) / "cache").rglob("*.jpg"))
    assert len(on_disk) == len(expected)
    service.terminate()
    assert service.wait() == 0
