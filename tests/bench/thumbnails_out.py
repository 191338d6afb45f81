"""Thumbnails into a bucket, by the outlet and its workers: beside bare boto3 and Pillow, and beside one at a time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from PIL import Image

from app.journal import Journal
from app.messages import Inspection, Snapshot, decode, encode
from app.pipeline.publish import Publish
from app.publishers import PublisherContext
from app.publishers.thumbnails import Thumbnails
from app.publishers.thumbnails.settings import ThumbnailsSettings
from pylib.runtime.relay import Codec, Transport, connect
from tests.bench.processes import NOBODY, Process, free_port
from tests.bench.report import Row
from tests.bench.rows import Bench
from tests.bench.thumbnails import drawn
from tests.fakes.decisions import told_to

SIZE, SIDE = (4000, 3000), 64
DIFFERENT = 4
"""Pictures, which are taken in turn."""
ROUNDS, EACH = 5, 60
MANY = 10_000
"""Pictures after which memory is looked at again."""
BUCKET, TARGET = "bench", "small"


def stored(bench: Bench) -> Iterator[Row]:
    """12-megapixel pictures a second into moto's server, which is a process of its own."""
    home = bench.home / "thumbnails-out"
    files = _pictures(home / "cache" / "2026" / "03" / "04" / "yard-camera")
    with patch.dict(os.environ, NOBODY), _bucket() as address, Ours(home, address, files) as ours:
        bare = Bare(address, files, threads=ours.threads)
        rates: dict[str, list[float]] = {"ours": [], "bare": [], "one": []}
        works: dict[str, Callable[[int], float]] = {"ours": ours.work, "bare": bare.work, "one": bare.one_at_a_time}
        for work in works.values():
            work(DIFFERENT)  # warm
        for number in range(bench.some(ROUNDS)):
            for name, work in sorted(works.items(), reverse=number % 2 == 0):
                count = EACH // 3 if name == "one" else EACH
                rates[name].append(count / work(count))
        yield from _rate_rows(rates, threads=ours.threads)
        yield _memory_row(ours, count=MANY // (20 if bench.quick else 1))


def _rate_rows(rates: dict[str, list[float]], *, threads: int) -> Iterator[Row]:
    ours, bare, one = (median(rates[name]) for name in ("ours", "bare", "one"))
    what = f"thumbnails of {SIZE[0]} x {SIZE[1]} into a bucket"
    alone = f"{what}, {threads} at once (alone: bare boto3 and Pillow, {threads} at once)"
    yield Row(alone, f"{ours:.1f}/s", f"{bare:.1f}/s", f"{ours / bare:.2f}", "0.85", ours >= 0.85 * bare)
    slow = f"{what} (alone: each downloaded, made and uploaded, one at a time)"
    yield Row(slow, f"{ours:.1f}/s", f"{one:.1f}/s", f"{ours / one:.1f}")


def _memory_row(ours: Ours, *, count: int) -> Row:
    process = Process(os.getpid(), 0)
    ours.work(count // 10)
    before = process.resident
    for _ in range(9):
        ours.work(count // 10)
    grown = process.resident - before
    what = f"memory that {count * 9 // 10:,} further thumbnails take"
    return Row(what, f"{grown:+.1f} MB at {before:.0f} MB", aim="5 MB", reached=grown <= 5)


class Ours:
    """The outlet with its relay and workers, in this process."""

    def __init__(self, home: Path, address: str, files: list[Path]) -> None:
        settings = ThumbnailsSettings(bucket=BUCKET, endpoint_url=address, path_style=True, sizes=(f"{SIDE}x{SIDE}",))
        outlet = Thumbnails(settings, PublisherContext(TARGET))
        self.threads = outlet.concurrency
        self._files = files
        self._made = 0
        self._done = threading.Semaphore(0)
        self._journal = Journal(home / "journal.db")
        self._transport = Transport(Codec(encode, decode))
        self._relay = self._transport.relay(
            TARGET,
            Publish(outlet, journal=self._journal, count=lambda _target, _outcome: self._done.release()),
            source=f"inproc://{TARGET}",
            key=lambda event: event.id,
            identity=lambda event: event.id,
            workers=outlet.concurrency,
        )

    def __enter__(self) -> Ours:
        self._journal.open()
        self._journal.database.start()
        self._relay.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._relay.stop()
        self._relay.join(30)
        self._transport.close()
        self._journal.database.stop()
        self._journal.database.join(30)

    def work(self, count: int) -> float:
        """So many events, from the socket of the outlet to the bucket; gives the seconds."""
        events = [self._event() for _ in range(count)]
        for event in events:  # what the stages before the outlet do
            self._journal.record(event.snapshot)
            self._journal.inspect(told_to(event, ()))
        push = connect(self._transport.context, f"inproc://{TARGET}")
        began = time.perf_counter()
        for event in events:
            push.send(encode(event))
        for _ in events:
            if not self._done.acquire(timeout=60):
                raise TimeoutError("a thumbnail was not stored within a minute")
        push.close()
        return time.perf_counter() - began

    def _event(self) -> Inspection:
        self._made += 1
        source = self._files[self._made % DIFFERENT]
        event_id = f"{self._made:032x}"
        path = source.with_name(f"120000-{event_id}.jpg")
        path.hardlink_to(source)
        taken = datetime(2026, 3, 4, 12, tzinfo=UTC) + timedelta(seconds=self._made)
        return Inspection(Snapshot(event_id, "Yard Camera", "Yard", taken, taken, 0.0, "http", str(path), size=1))


class Bare:
    """boto3 and Pillow, and nothing else."""

    def __init__(self, address: str, files: list[Path], *, threads: int) -> None:
        config = Config(s3={"addressing_style": "path"}, max_pool_connections=threads)
        self._client: Any = boto3.client("s3", endpoint_url=address, config=config)
        self._client.create_bucket(Bucket=BUCKET)
        self._files = files
        for number, file in enumerate(files):
            self._client.put_object(Bucket=BUCKET, Key=f"in/{number}.jpg", Body=file.read_bytes())
        self._pool = ThreadPoolExecutor(threads)
        self._made = 0

    def work(self, count: int) -> float:
        """So many pictures of the disk, several at once; gives the seconds."""
        start, self._made = self._made, self._made + count
        began = time.perf_counter()
        list(self._pool.map(self._one, range(start, start + count)))
        return time.perf_counter() - began

    def one_at_a_time(self, count: int) -> float:
        """So many pictures of the bucket, each downloaded, made smaller, uploaded; gives the seconds."""
        began = time.perf_counter()
        for _ in range(count):
            self._made += 1
            key = f"in/{self._made % DIFFERENT}.jpg"
            self._put(self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read(), self._made)
        return time.perf_counter() - began

    def _one(self, number: int) -> None:
        self._put(self._files[number % DIFFERENT].read_bytes(), number)

    def _put(self, picture: bytes, number: int) -> None:
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(picture)) as image:
            image.thumbnail((SIDE, SIDE))
            image.save(buffer, "JPEG", quality=82)
        self._client.put_object(
            Bucket=BUCKET, Key=f"bare/{number}.jpg", Body=buffer.getvalue(), ContentType="image/jpeg"
        )


@contextmanager
def _bucket() -> Iterator[str]:
    """moto's server, in a process of its own; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            _await(address)
            yield address
        finally:
            process.kill()


def _await(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.05)
    raise TimeoutError("moto's server did not come up within a minute")


def _pictures(folder: Path) -> list[Path]:
    folder.mkdir(parents=True)
    files = [folder / f"{number}.jpg" for number in range(DIFFERENT)]
    for file in files:
        file.write_bytes(drawn(SIZE))
    return files
