"""Objects in buckets: each becomes one event, whatever is written, repeated, out of order, or killed meanwhile."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from pylib import sqlite
from tests.aws import LOGIN, REGION, Aws, message
from tests.e2e.conftest import Launch
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess, until

OBJECTS = int(os.environ.get("SNAPSHOT_TEST_OBJECTS", "150"))
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


def reached(service: ServiceProcess, count: int) -> bool:
    return len(events(service)) >= count


@pytest.mark.long
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
        for sequencer, etag in (("0B", etags[1]), ("0A9", etags[0]), ("0B", etags[1])):
            body = message(disorder, f"twice {number}.jpg", sequencer=sequencer, etag=etag)
            sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    small, at = aws.bucket(f"{name}-small"), {"endpoint_url": aws.url, "region": REGION}
    service = launch(
        environment=LOGIN,
        sources=[source(aws, bucket, queue_url, buckets=[{"bucket": bucket}, {"bucket": disorder, "camera": "Twice"}])],
        publishers=[
            {"kind": "thumbnails", "bucket": small, "key": "<bucket>/<folder><name>", "path_style": True, **at},
            {"kind": "dynamodb", "table": name, "make_table": True, **at},
        ],
    )
    service.start()
    with ThreadPoolExecutor(8) as pool:
        written = [pool.submit(s3.put_object, Bucket=bucket, Key=key, Body=picture) for key in wanted]
        for key in wanted[:REPEATED] * 4:
            body = message(bucket, key, etag=md5(picture, usedforsecurity=False).hexdigest())
            pool.submit(sqs.send_message, QueueUrl=queue_url, MessageBody=body)
        for stage in range(1, KILLS + 1):
            enough = OBJECTS * stage // (KILLS + 2)
            until(partial(reached, service, enough), timeout=240, what="some are done")
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
    until(
        lambda: rows(service, "SELECT DISTINCT state FROM deliveries") == [("done",)],
        timeout=240,
        what="both outlets have all",
    )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=small)
    assert sum(len(page["Contents"]) for page in pages) == len(expected)
    found = aws.client("dynamodb").get_paginator("scan").paginate(TableName=name, ProjectionExpression="object_key")
    assert Counter(item["object_key"]["S"] for page in found for item in page["Items"]) == Counter(expected)
    service.terminate()
    assert service.wait() == 0


@pytest.mark.long
def test_whatever_lies_in_a_bucket_has_one_outcome_and_says_why_it_is_no_picture(
    aws: Aws, launch: Launch, name: str, queue_url: str
) -> None:
    s3, sqs = aws.client("s3"), aws.client("sqs")
    bucket = aws.bucket(name)
    aws.announce(bucket, queue_url)
    service = launch(environment=LOGIN, sources=[source(aws, bucket, queue_url, max_bytes=100_000)])
    aws.stop()
    service.start().wait_ready()
    try:
        away = until(lambda: unwell(service, "unreachable: No connection to 127.0.0.1."))
        assert not away["critical"]
    finally:
        aws.start()
    until(lambda: service.check("triggers from pictures")["ok"], what="the queue is asked again")

    picture = jpeg(16, 12)
    s3.put_object(Bucket=bucket, Key="yard/a.jpg", Body=picture)
    s3.put_object(Bucket=bucket, Key="yard/text.jpg", Body=b"a text file")
    s3.put_object(Bucket=bucket, Key="yard/large.jpg", Body=picture + bytes(100_000))
    s3.put_object(Bucket=bucket, Key="yard/ours.jpg", Body=picture, Metadata={"snapshot-processor": "thumbnail"})
    s3.put_object(Bucket=bucket, Key="yard/", Body=b"")
    s3.put_object(Bucket=bucket, Key="yard/notes.txt", Body=b"a text file")
    for body in (message(bucket, "yard/gone.jpg"), "no event", message("elsewhere", "yard/a.jpg")):
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    problems = {"yard/a.jpg": "", "yard/text.jpg": "not_an_image", "yard/large.jpg": "too_large"}
    problems["yard/gone.jpg"] = "object_gone"
    until(lambda: len(events(service)) == len(problems))
    until(lambda: aws.waiting(queue_url) == 1, what="only the message that is no event is left")
    assert {key: problem.partition(":")[0] for key, problem in events(service).items()} == problems
    assert rows(service, "SELECT key, outcome FROM bucket_objects WHERE outcome NOT IN (SELECT id FROM snapshots)") == [
        ("yard/ours.jpg", "own output")
    ]
    check = service.check("triggers from pictures")
    assert check["ok"]
    assert check["detail"] == "connected; messages that were no events: 1, the last: not_an_event: it is not JSON"
    assert service.metric("snapshots_total", camera="unknown", outcome="own output") == 1
    assert service.metric("triggers_total", origin="pictures", outcome="not_an_event") == 1
    assert set(rows(service, "SELECT camera, origin FROM snapshots")) == {("yard Camera", "pictures")}
    service.terminate()
    assert service.wait() == 0
    assert LOGIN["AWS_SECRET_ACCESS_KEY"] not in service.log


@pytest.mark.long
def test_a_bucket_that_notifies_nobody_is_listed_and_each_object_is_one_event_through_a_kill(
    aws: Aws, launch: Launch, name: str
) -> None:
    s3, bucket = aws.client("s3"), aws.bucket(name)
    s3.put_object(Bucket=bucket, Key="before.jpg", Body=jpeg(16, 12))
    before = time.time()
    listed = {"kind": "bucket", "name": "pictures", "every": 5, "buckets": [{"bucket": bucket}]}
    service = launch(environment=LOGIN, sources=[{**listed, "endpoint_url": aws.url, "path_style": True}])
    until(lambda: int(time.time()) > int(before), what="the bucket's clock, of whole seconds, has moved on")
    service.start().wait_ready()
    until(lambda: service.check("triggers from pictures")["ok"], what="the bucket is listed")
    wanted = keys(14)
    for key in wanted:
        s3.put_object(Bucket=bucket, Key=key, Body=jpeg(16, 12))
    until(lambda: events(service), what="the first is done")
    service.kill()
    s3.put_object(Bucket=bucket, Key="meanwhile.jpg", Body=jpeg(16, 12))
    service.start().wait_ready()
    until(lambda: len(events(service)) == 15)
    s3.put_object(Bucket=bucket, Key="later.jpg", Body=jpeg(16, 12))
    until(lambda: len(events(service)) == 16)
    assert events(service) == dict.fromkeys([*wanted, "meanwhile.jpg", "later.jpg"], "")
    service.terminate()
    assert service.wait() == 0


def unwell(service: ServiceProcess, detail: str) -> dict[str, Any] | None:
    """The source's check, when it says that."""
    check = service.check("triggers from pictures")
    return check if (check["ok"], check["detail"]) == (False, detail) else None


@pytest.mark.long
def test_thumbnails_in_the_bucket_that_is_watched_make_no_thumbnails_of_their_own(
    aws: Aws, launch: Launch, name: str, queue_url: str
) -> None:
    s3 = aws.client("s3")
    bucket = aws.bucket(name)
    aws.announce(bucket, queue_url)
    own = {"kind": "thumbnails", "endpoint_url": aws.url, "path_style": True}
    outlets = [{**own, "name": "apart"}, {**own, "name": "among", "prefix": "", "sizes": ["32x32"]}]
    service = launch(environment=LOGIN, sources=[source(aws, bucket, queue_url)], publishers=outlets)
    service.start().wait_ready()
    pictures = [f"yard/{number}.jpg" for number in range(3)]
    for key in pictures:
        s3.put_object(Bucket=bucket, Key=key, Body=jpeg(160, 120))
    made = {f"{prefix}yard/thumbnail_{number}.jpg" for prefix in ("", "thumbnails/") for number in range(3)}

    def keys_there() -> set[str]:
        return {entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", ())}

    until(lambda: keys_there() == made | {*pictures}, what="two thumbnails of each")
    until(lambda: emptied(aws, queue_url), what="what the thumbnails themselves announced is settled")
    assert keys_there() == made | {*pictures}
    assert set(events(service)) == {*pictures}
    looked_at = {key for (key,) in rows(service, "SELECT key FROM bucket_objects WHERE outcome = 'own output'")}
    assert looked_at == made
    service.terminate()
    assert service.wait() == 0
