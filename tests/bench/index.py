"""The shared index: `python -m tests.bench.index [EVENTS]` fills a private PostgreSQL as four replicas would, asks it
what pages ask, and takes the time from a trigger at one service to its event on an open page of another."""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import requests
from psycopg import connect

from app.index.database import IndexDatabase
from app.index.reading import IndexReading
from app.index.writing import IndexWriting
from app.journal import Change, Entry, Filter, PageCursor
from app.messages import Detection, Inspection, Label, Snapshot
from tests.bench.report import quantile
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess
from tests.fakes.index import an_index
from tests.postgres import PostgresServer
from tests.simulators.camera import CameraSimulator

EVENTS = 100_000
BATCH = 200
NOW = datetime(2026, 11, 1, tzinfo=UTC)
LABELS = ("Person", "Car", "Dog", "Cat", "Bird", "Bicycle", "Traffic Light", "Parcel")
TRIGGERS = 60


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with PostgresServer() as postgres:
        url = an_index(postgres)
        fill(url, events)
        with connect(url, autocommit=True) as one:
            one.execute("ANALYZE")
            ((size,),) = one.execute("SELECT pg_database_size(current_database()) / 1000000").fetchall()
        print(f"database: {size} MB")
        ask(url)
        follow(postgres)


def fill(url: str, events: int) -> None:
    dice = random.Random(7)
    replicas = [IndexWriting(IndexDatabase(url, device_name=f"replica {number}")) for number in range(4)]
    for one in replicas:
        one._database.ready()
    began = time.monotonic()
    for start in range(0, events, BATCH):
        changes = [_change(number, dice) for number in range(start, min(start + BATCH, events))]
        replicas[start // BATCH % 4].write(changes)
    took = time.monotonic() - began
    print(f"{events:,} events written in {took:.0f} s: {events / took:,.0f}/s in batches of {BATCH}")


def _change(number: int, dice: random.Random) -> Change:
    taken_at = NOW - timedelta(seconds=number * 300 + dice.random() * 300)
    camera = f"Camera {number % 20}"
    snapshot = Snapshot(
        f"{number:032x}", camera, f"Place {number % 20}", taken_at, taken_at, 0.4, "http", "/a/b.jpg", 9
    )
    labels = tuple(Label(name, 0.5 + dice.random() / 2) for name in dice.sample(LABELS, dice.randrange(4)))
    persons = sum(label.name == "Person" for label in labels)
    entry = Entry(Inspection(snapshot, "hog", Detection(labels, persons)), 0, visit=number + 1)
    return Change(entry, "", gone=False, news=number + 1, revision=1)


def ask(url: str) -> None:
    album = IndexReading(IndexDatabase(url, device_name="replica 0"))
    middle = PageCursor((NOW - timedelta(days=180)).timestamp(), 0)
    year = NOW - timedelta(days=366), NOW
    questions: dict[str, Callable[[], object]] = {
        "a page of visits": lambda: album.visits(Filter()),
        "a page of visits, in the middle": lambda: album.visits(Filter(), before=middle),
        "a page of pictures": lambda: album.page(Filter()),
        "pictures with a label": lambda: album.page(Filter(label="dog")),
        "pictures with words": lambda: album.page(Filter(q="pla 7 parc")),
        "pictures with words that nothing has": lambda: album.page(Filter(q="nothing")),
        "people of one camera": lambda: album.page(Filter(camera="Camera 7", person=True)),
        "neighbours": lambda: album.around(middle, Filter(label="dog"), reach=3),
        "standing": lambda: album.standing(middle, Filter()),
        "heat of four weeks": lambda: album.heat(NOW - timedelta(days=28), NOW),
        "heat of a year": lambda: album.heat(*year),
        "labels": lambda: album.label_names(),
        "cameras": lambda: album.camera_keys(),
        "what is new": lambda: album.what_is_new(),
    }
    for what, question in questions.items():
        took = []
        for _ in range(30):
            began = time.monotonic()
            question()
            took.append(time.monotonic() - began)
        print(f"{what}: p50 {median(took) * 1000:.1f} ms, p95 {quantile(took, 0.95) * 1000:.1f} ms")


def follow(postgres: PostgresServer) -> None:
    url = an_index(postgres)
    heard: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, CameraSimulator(jpeg()) as cameras:
        services = [
            ServiceProcess(
                Path(folder) / name,
                environment={"DATABASE_URL": url, "DEVICE_NAME": name},
                config={"cameras": [{"location": "yard", "kind": "still", "url": cameras.url("stamped", "yard")}]},
            ).start()
            for name in ("one", "two")
        ]
        for service in services:
            service.wait_ready()
        one, two = services

        def listen() -> None:
            with two.http("GET", "/api/events", stream=True) as stream, suppress(requests.RequestException):
                for line in stream.iter_lines(chunk_size=1):
                    if line.startswith(b"id: "):
                        heard[line[4:].decode()] = time.monotonic()

        threading.Thread(target=listen, daemon=True).start()
        time.sleep(2)
        before, began = _processor_s(two), time.monotonic()
        time.sleep(20)
        share = (_processor_s(two) - before) / (time.monotonic() - began)
        print(f"processor time of a service that waits and follows: {share:.1%}")
        sent = {}
        for _ in range(TRIGGERS):
            at = time.monotonic()
            sent[one.http("POST", "/api/cameras/yard/trigger").json()["event_id"]] = at
            time.sleep(0.3)
        time.sleep(3)
        took = [heard[event] - at for event, at in sent.items()]
        worst = max(took)
        print(
            f"trigger here, event there: p50 {median(took):.2f} s, p95 {quantile(took, 0.95):.2f} s, most {worst:.2f} s"
        )
        for service in services:
            service.kill()


def _processor_s(service: ServiceProcess) -> float:
    fields = Path(f"/proc/{service.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
