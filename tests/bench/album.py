"""The album at 100,000 snapshots: how soon a page begins, and what the pipeline notices of those who look."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import requests

from app.journal import Journal
from tests.bench import album_rows, thumbnails
from tests.bench.peer import Peer
from tests.bench.processes import Process, locations
from tests.bench.report import Row, ms, quantile
from tests.bench.rows import Bench, detector

SNAPSHOTS = 100_000
FIRST_BYTE_S = 0.03
VIEWERS = 200
BETWEEN_S = 0.1
"""Between two triggers while people look: more than a busy site has."""
KEEP: Mapping[str, Any] = {"retention": {"days": 3650, "person_days": 3650}}
"""The journal's pictures are not there: nothing may be cleaned, or it would all go."""


def pages(bench: Bench) -> Iterator[Row]:
    """Time to the first byte of what people ask for most, and memory before and after."""
    count = bench.some(SNAPSHOTS)
    with _album(bench, "album", count) as process:
        asked = requests.Session()
        before = process.resident
        for what, path in _paths():
            took = _first_bytes(asked, process, path, times=bench.some(60))
            p50, p95 = median(took), quantile(took, 0.95)
            yield Row(
                f"album of {count:,}: {what}, first byte, p50",
                ms(p50),
                "",
                f"p95 {ms(p95)}",
                ms(FIRST_BYTE_S),
                p50 <= FIRST_BYTE_S,
            )
        with requests.get(_url(process, "/live"), stream=True, timeout=10):
            after = process.resident
        yield Row(f"resident memory, album of {count:,}, before the first page", f"{before:.0f} MB")
        yield Row("the same with the page open, after all of these", f"{after:.0f} MB")


def viewers(bench: Bench) -> Iterator[Row]:
    """Time from trigger to event with 200 pages open, and with none, in turn."""
    places = locations(20)
    took: dict[str, list[float]] = {"alone": [], "watched": []}
    with ExitStack() as stack:
        port = stack.enter_context(detector())
        cameras = {place: bench.address(place) for place in places}
        peers: dict[str, Peer] = {}
        for name in took:
            process, peers[name] = stack.enter_context(bench.running(name, cameras, detector=port))
            if name == "watched":
                stack.enter_context(_watching(process.web))
        for turn in range(bench.some(20)):
            for name, other_side in sorted(peers.items(), reverse=turn % 2 == 0):
                took[name] += _round(other_side, places)
    alone, watched = (quantile(took[name], 0.95) for name in took)
    yield Row(
        f"p95 from trigger to event with {VIEWERS} pages open, 10 events/s (alone: with none)",
        ms(watched),
        ms(alone),
        f"{watched / alone:.2f}",
        "1.05",
        watched <= 1.05 * alone,
    )


def small_pictures(bench: Bench) -> Iterator[Row]:
    """Thumbnails beside bare Pillow."""
    folder = bench.home / "small"
    folder.mkdir()
    yield from thumbnails.rows(folder, rounds=bench.some(thumbnails.ROUNDS))


ROWS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "album": pages,
    "viewers": viewers,
    "thumbnails": small_pictures,
}


def _paths() -> Iterator[tuple[str, str]]:
    day = (datetime.now(UTC) - timedelta(days=100)).date()
    yield "first page", "/"
    yield "first page by picture", "/?by=picture"
    yield "what is not reviewed", "/?reviewed=false"
    yield "nights", "/?hours=22-6"
    yield "search for a frequent word", "/?q=person"
    yield "search for a rare word", "/?q=zebra"
    yield "search for two words", "/?q=garden+dog"
    yield "a day", f"/?day={day}"
    yield "people at one camera", "/?camera=Garden+Camera&person=true"
    yield "a label, surely", "/?label=Dog&confidence=0.9"
    yield "first page of the API", "/api/snapshots"
    yield "first page of visits of the API", "/api/visits"


def journal_of(data: Path, count: int) -> None:
    """A data folder whose journal has so many snapshots."""
    data.mkdir(parents=True)
    journal = Journal(data / "journal.db")
    journal.open()
    journal.database.start()
    album_rows.fill(journal, count)
    journal.database.stop()
    journal.database.join(60)


@contextmanager
def _album(bench: Bench, name: str, count: int) -> Iterator[Process]:
    journal_of(bench.home / name / "data", count)
    cameras = {place: bench.address(place) for place in locations(5)}
    with detector() as port, bench.running(name, cameras, detector=port, config=KEEP) as (process, _):
        yield process


def _first_bytes(asked: requests.Session, process: Process, path: str, *, times: int) -> list[float]:
    took = []
    for turn in range(times + 5):
        time.sleep(random.uniform(0.001, 0.02))  # out of step with whatever is done regularly
        with asked.get(
            _url(process, path), headers={"Accept": "text/html, application/json"}, stream=True, timeout=30
        ) as answer:
            answer.raise_for_status()
            if turn >= 5:  # warm
                took.append(answer.elapsed.total_seconds())
            assert len(answer.content) > 100
    return took


@contextmanager
def _watching(port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.simulators.viewers", "--port", str(port), "--count", str(VIEWERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == str(port)
            yield
            assert process.poll() is None, "the viewers have ended"
        finally:
            process.kill()


def _round(other_side: Peer, places: list[str]) -> list[float]:
    numbers = []
    for place in places:
        other_side.run(random.uniform(0.5, 1.5) * BETWEEN_S)
        numbers.append(other_side.trigger(place))
    other_side.run_until(lambda: all(number in other_side.took for number in numbers))
    other_side.check(numbers)
    return [other_side.took[number] for number in numbers]


def _url(process: Process, path: str) -> str:
    return f"http://127.0.0.1:{process.web}{path}"
