"""Archiving: how fast a backlog goes into Google Drive, what sorting costs, and what events notice of a faulty one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from app.archives.google_drive import GoogleDriveSettings
from app.journal.records import NOTHING_WAITS
from tests.bench.peer import Peer
from tests.bench.processes import locations, simulator
from tests.bench.report import Row, ms, quantile
from tests.bench.rows import Bench, detector, timed_round
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess, until
from tests.fakes.drive import a_picture, an_archive, an_inspection
from tests.simulators.camera import stamped
from tests.simulators.drive import DriveDouble, drive_double

CALL_S = 0.3
SORTED = (100, 1_000, 10_000)
NEW = 5
OLD = datetime(2026, 3, 5, tzinfo=UTC)


def backlog(bench: Bench) -> Iterator[Row]:
    """500 pictures that wait for a Drive which takes 300 ms for each call, archived by the service."""
    count = bench.some(500)
    workers = GoogleDriveSettings().concurrency
    with drive_double(delay=CALL_S) as double:
        service = _owing(bench.home / "backlog", double, count).start()
        try:
            until(lambda: double.calls, timeout=60, what="the first call")
            began = time.monotonic() - CALL_S
            until(lambda: len(double.files.pictures()) == count, timeout=count, what="all pictures in Drive")
            took = time.monotonic() - began
            until(lambda: service.check("archived to google_drive")["detail"].startswith(NOTHING_WAITS))
        finally:
            service.kill()
        calls = len(double.calls)
    floor = calls / workers * CALL_S
    yield Row(
        f"{count} pictures into Drive, {workers} at once, {ms(CALL_S)} a call: {calls} calls"
        " (alone: calls / workers x time)",
        f"{took:.1f} s",
        f"{floor:.1f} s",
        f"{took / floor:.2f}",
    )


def _owing(home: Path, double: DriveDouble, count: int) -> ServiceProcess:
    """A service, not running yet, that owes Drive so many pictures."""
    token = double.sign_ins.sign_in(home.with_suffix(".token"))
    config = {"cameras": [{"kind": "demo", "location": "Yard"}], "google_drive": _section(double.port, token)}
    service = ServiceProcess(home, config=config)
    pictures = home / "pictures"
    pictures.mkdir()
    blank = jpeg()
    for number in range(count):
        (pictures / f"{number:04}.jpg").write_bytes(stamped(blank, str(number)))
    done = service.command("archive", "import", str(pictures), "--camera", "Yard Camera", timeout=300)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return service


def _section(port: int, token: Path) -> dict[str, Any]:
    return {"folder": "Snapshots", "credentials_file": str(token), "api_root_url": f"http://127.0.0.1:{port}/"}


def organiser(bench: Bench) -> Iterator[Row]:
    """Calls for sorting a few new pictures, with more and more that were sorted before."""
    with capture_logs():
        calls = [_sorting_calls(bench.home / f"organiser-{count}", count) for count in SORTED]
    sizes = " / ".join(f"{count:,}" for count in SORTED)
    yield Row(
        f"Drive's organiser: calls to sort {NEW} pictures, with {sizes} sorted before",
        " / ".join(map(str, calls)),
        f"{NEW}",
        "",
        "flat",
        len(set(calls)) == 1,
    )


def _sorting_calls(home: Path, sorted_before: int) -> int:
    home.mkdir()
    with drive_double() as double:
        drive = an_archive(double, home)
        drive.store(an_inspection("first", taken_at=OLD), a_picture("first"))
        drive.organise()
        (day,) = double.files.folders(f"{OLD:%d}")
        for number in range(sorted_before):
            double.files.add(f"{number}.jpg", parent=day["id"], created=OLD)
        for number in range(NEW):
            drive.store(an_inspection(f"e{number}", taken_at=OLD), a_picture(f"e{number}"))
        double.calls.clear()
        drive.organise()
        drive.close()
        return len(double.calls)


def faulty(bench: Bench) -> Iterator[Row]:
    """Time to the event without an archive, and while Drive hangs, fails every call, or works."""
    places = locations(20)
    took: dict[str, list[float]] = {kind: [] for kind in ("none", "works", "hang", "500")}
    with ExitStack() as stack:
        port = stack.enter_context(detector())
        peers: dict[str, Peer] = {}
        for kind in took:
            cameras = {place: bench.address(place) for place in places}
            config = _archiving_to(stack, bench.home, kind)
            # Services side by side and in turn, so that all see the same moods of the machine.
            running = bench.running(f"drive-{kind}", cameras, detector=port, config=config)
            _, peers[kind] = stack.enter_context(running)
        for turn in range(bench.some(40)):
            for kind, other_side in sorted(peers.items(), reverse=turn % 2 == 0):
                took[kind] += timed_round(other_side, places)
                other_side.run(0.2)  # what is archived of these is not to disturb the next service
    alone = quantile(took["none"], 0.95)
    for kind, what in {"hang": "never answers", "500": "answers 500", "works": f"takes {ms(CALL_S)} a call"}.items():
        p95 = quantile(took[kind], 0.95)
        aim = {} if kind == "works" else {"aim": "1.10", "reached": p95 <= 1.1 * alone}
        what = f"p95 of 20 cameras while Google Drive {what} (alone: without an archive)"
        yield Row(what, ms(p95), ms(alone), f"{p95 / alone:.2f}", **aim)  # type: ignore[arg-type]


def _archiving_to(stack: ExitStack, home: Path, kind: str) -> dict[str, Any]:
    """A configuration that archives to a Drive of this kind, which runs as long as the stack is open."""
    if kind == "none":
        return {}
    token = home / f"{kind}.token"
    manner = ["--delay", str(CALL_S)] if kind == "works" else ["--fault", kind]
    port = stack.enter_context(simulator("drive", "--token-file", str(token), *manner))
    return {"google_drive": _section(port, token)}
