"""Events told as they happen: once for all viewers, nothing missed, and nobody in the way."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.journal.entries import Entry, Filter
from app.messages import Detection, Inspection, Label, Snapshot
from app.pipeline.live import InProcessEvents
from app.web.server import WebServer
from app.web.streaming import broadcast
from app.web.streaming.broadcast import Broadcast
from pylib.errors import Transient
from tests.fakes.journal import begin

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
YARD, GATE = "Yard Camera", "Gate Camera"


class Listener:
    """One stream, read in a thread of its own."""

    def __init__(self, port: int, query: str = "", headers: dict[str, str] | None = None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", f"/events?{query}", headers=headers or {})
        self._socket = connection.sock
        self.response = connection.getresponse()
        self.text = ""
        self.ended = threading.Event()
        self.complete = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError, ValueError, http.client.HTTPException):
            while data := self.response.read1():
                self.text += data.decode()
            self.complete = True
        self.ended.set()

    @property
    def ids(self) -> list[str]:
        *whole, _ = self.text.split("\n\n")
        return [block.partition("\n")[0][4:] for block in whole if block.startswith("id: ")]

    def hears(self, *ids: str) -> bool:
        """Whether these ids come, and no others."""
        eventually(lambda: len(self.ids) >= len(ids))
        assert self.ids == list(ids)
        return True

    def leave(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        assert self.ended.wait(60)
        self._socket.close()


def eventually(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.01)


class House:
    """A web server with nothing but the events of a real journal."""

    def __init__(self, folder: Path) -> None:
        self.journal = begin(folder / "journal.db")
        self.live = InProcessEvents()
        self.broadcast = Broadcast(self.journal, self.live)
        self.rendered: list[str] = []
        self.filter = Filter()
        self.welcome = True
        application = Starlette(routes=[Route("/events", self.stream)])
        self.server = WebServer(application, host="127.0.0.1", port=0, on_stop=self.broadcast.close)
        self.port = self.server.open()
        self.server.start()

    async def stream(self, request: Request) -> Response:
        camera = request.query_params.get("camera", "")
        chosen, is_guest = Filter(camera=camera), camera == GATE
        return self.broadcast.stream(
            request,
            filter=chosen,
            render=self.render,
            event="card",
            may_look=lambda: self.welcome or not is_guest,
        )

    def render(self, entry: Entry) -> str:
        self.rendered.append(entry.id)
        return f"<li>\n{entry.note or entry.inspection.camera}</li>"

    def happen(self, event_id: str, *, camera: str = YARD, note: str = "", quietly: bool = False) -> None:
        """Something becomes an event."""
        snapshot = Snapshot(event_id, camera, camera.partition(" ")[0], NOON, NOON, 0.1, "http", "/a.jpg", 9)
        inspection = Inspection(snapshot, "hog", Detection((Label("Dog", 0.9),)))
        self.journal.record(snapshot, note=note)
        self.journal.inspect(inspection)
        if not quietly:
            self.live.handle(inspection)

    @property
    def listeners(self) -> int:
        return len(self.live._listeners)

    @contextmanager
    def viewers(self, count: int = 1, query: str = "", **options: object) -> Iterator[list[Listener]]:
        """So many streams, all of them under way."""
        there = [Listener(self.port, query, **options) for _ in range(count)]  # type: ignore[arg-type]
        try:
            eventually(lambda: all("retry:" in one.text for one in there) and self.listeners == 1)
            yield there
        finally:
            for one in there:
                one.leave()

    def close(self) -> None:
        for thread in (self.server, self.journal.database):
            thread.stop()
            assert thread.join(60)


@contextmanager
def stuck_viewer(house: House) -> Iterator[socket.socket]:
    """One that asks, reads nothing, and for which its machine keeps little."""
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", house.port))
        stuck.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        yield stuck


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def test_an_event_reaches_a_viewer_as_the_standard_has_it(house: House) -> None:
    with house.viewers() as [one]:
        house.happen("a1", note="two\r\nlines\rand one\n")
        assert one.hears("a1")
        assert one.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert one.response.headers["Cache-Control"] == "no-store"
        lines = ["<li>", "two", "lines", "and one", "</li>"]
        block = "id: a1\nevent: card\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
        eventually(lambda: one.text.endswith(block))


def test_an_event_is_made_once_for_all_viewers(house: House) -> None:
    with house.viewers(10) as viewers:
        house.happen("a1")
        house.happen("a2")
        assert all(one.hears("a1", "a2") for one in viewers)
        assert house.rendered == ["a1", "a2"]


def test_a_viewer_hears_only_of_what_it_asked_for(house: House) -> None:
    with house.viewers(query="camera=Gate%20Camera") as [gate], house.viewers() as [everything]:
        house.happen("a1")
        house.happen("a2", camera=GATE)
        assert everything.hears("a1", "a2")
        assert gate.hears("a2")


def test_a_viewer_who_may_no_longer_look_hears_nothing_more_and_is_out(house: House) -> None:
    with house.viewers(query="camera=Gate%20Camera") as [guest], house.viewers() as [everything]:
        house.happen("a1", camera=GATE)
        assert guest.hears("a1")
        house.welcome = False
        house.happen("a2", camera=GATE)
        assert guest.ended.wait(60)
        assert (guest.ids, guest.complete) == (["a1"], True)
        assert everything.hears("a1", "a2")
        assert not everything.ended.is_set()


def test_one_is_out_also_where_nothing_happens(house: House) -> None:
    with house.viewers(query="camera=Gate%20Camera") as [guest]:
        house.welcome = False
        assert guest.ended.wait(60)


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_viewer_that_comes_again_gets_what_it_missed_and_nothing_twice(house: House, way: str) -> None:
    for number in range(250):
        house.happen(f"a{number:03}", camera=GATE if number % 2 else YARD, quietly=True)
    headers = {"Last-Event-ID": "a008"} if way == "header" else {}
    query = "camera=Gate%20Camera" + ("&last_event_id=a008" if way == "query" else "")
    with house.viewers(query=query, headers=headers) as [one]:
        house.happen("b1", camera=GATE)
        assert one.hears(*(f"a{number:03}" for number in range(9, 250, 2)), "b1")


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_comes_while_a_viewer_catches_up_is_told_once(
    house: House, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    house.happen("a1", quietly=True)
    asked = house.journal.inspected_after

    def meanwhile(last: str, *, limit: int) -> list[Entry]:
        if last == "a1" and when == "before":
            house.happen("a2")
        found = asked(last, limit=limit)
        if last == "a1" and when == "after":
            house.happen("a2")
        return found

    monkeypatch.setattr(house.journal, "inspected_after", meanwhile)
    with house.viewers(query="last_event_id=a1") as [one]:
        assert one.hears("a2")
        house.happen("a3")
        assert one.hears("a2", "a3")


def test_an_event_id_that_nobody_knows_is_no_trouble(house: House) -> None:
    with house.viewers(query="last_event_id=%00%ff%27nobody") as [one]:
        house.happen("a1")
        assert one.hears("a1")


def test_what_was_deleted_at_once_is_not_told(house: House) -> None:
    with house.viewers() as [one]:
        house.live.handle(Inspection(Snapshot("gone", YARD, "", NOON, NOON, 0, "http")))
        house.happen("a1")
        assert one.hears("a1")


def test_nobody_listens_while_nobody_looks(house: House) -> None:
    house.happen("a1")
    assert house.listeners == 0
    with house.viewers(3):
        assert house.listeners == 1
        tasks = house.broadcast._room._tasks  # type: ignore[union-attr]
    eventually(lambda: house.listeners == 0 and all(task.done() for task in tasks))
    with house.viewers() as [one]:
        house.happen("a2")
        assert one.hears("a2")


def test_a_form_that_fails_costs_nobody_else_an_event(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(entry: Entry) -> str:
        if entry.id == "a1":
            raise ValueError("a bug")
        return "well"

    with house.viewers() as [one]:
        monkeypatch.setattr(house, "render", fails)
        with house.viewers() as [other]:
            house.happen("a1")
            house.happen("a2")
            assert one.hears("a1", "a2")
            assert other.hears("a2")


def test_a_stream_without_events_shows_signs_of_life(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "PING_S", 0.05)
    with house.viewers() as [one]:
        eventually(lambda: one.text.count("\n:\n\n") >= 2)
        assert one.ids == []


def test_a_viewer_that_does_not_read_is_given_up_and_the_others_are_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "GATHER_S", 0.0)
    monkeypatch.setattr(broadcast, "MOST_WAITING", 3)
    monkeypatch.setattr(broadcast, "SENT_AT_ONCE", 1)
    monkeypatch.setattr(house, "render", lambda _: "a" * 1_000_000)  # more of them than any buffer on the way takes
    with stuck_viewer(house) as stuck, house.viewers() as [one]:
        eventually(lambda: len(house.broadcast._room._viewers) == 2)  # type: ignore[union-attr]
        for number in range(12):
            house.happen(f"a{number:03}")
            eventually(lambda n=number: len(one.ids) == n + 1)  # type: ignore[misc]
        assert len(house.broadcast._room._viewers) == 1  # type: ignore[union-attr]
        stuck.settimeout(20)
        with suppress(ConnectionError):  # cut off, whether all that was sent is read or not
            while stuck.recv(1 << 20):
                pass


def test_whether_an_event_is_wanted_is_asked_once_for_all_who_want_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    matches = Filter.matches

    def counted(wish: Filter, entry: Entry) -> bool:
        asked.append(wish.camera)
        return matches(wish, entry)

    monkeypatch.setattr(Filter, "matches", counted)
    with house.viewers(3) as those, house.viewers(2, f"camera={quote(YARD)}") as others:
        house.happen("a1")
        assert all(one.hears("a1") for one in (*those, *others))
        assert sorted(asked) == ["", YARD]


def test_a_burst_reaches_a_viewer_whole_in_however_many_writes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "SENT_AT_ONCE", 2)
    monkeypatch.setattr(broadcast, "PING_S", 600.0)  # which would wake the viewer
    ids = [f"a{number}" for number in range(9)]
    for event_id in ids:
        house.happen(event_id, quietly=True)
    with house.viewers() as [one]:
        for event_id in ids:
            house.live.handle(Inspection(Snapshot(event_id, YARD, "", NOON, NOON, 0, "http")))
        assert one.hears(*ids)


def test_a_viewer_that_does_not_read_its_end_is_cut_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "SENT_AT_ONCE", 1)
    monkeypatch.setattr(house, "render", lambda _: "a" * 1_000_000)
    with stuck_viewer(house):
        eventually(lambda: house.broadcast.viewers == 1)
        for number in range(15):
            house.happen(f"a{number:02}")
        (viewer,) = house.broadcast._room._viewers  # type: ignore[union-attr]
        eventually(lambda: len(viewer._waiting) > 5)
        house.broadcast.close()
        eventually(lambda: house.broadcast.viewers == 0, seconds=20)


def test_a_journal_that_cannot_answer_sends_viewers_away_to_come_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, away = house.journal.entry, threading.Event()

    def entry(event_id: str) -> Entry | None:
        if not away.is_set():
            away.set()
            raise Transient("database_unavailable", "not now")
        return asked(event_id)

    monkeypatch.setattr(house.journal, "entry", entry)
    house.happen("a0", quietly=True)
    with house.viewers() as [one]:
        house.happen("a1")
        assert one.ended.wait(60)
    with house.viewers(query="last_event_id=a0") as [again]:
        house.happen("a2")
        assert again.hears("a1", "a2")


def test_the_end_of_the_server_is_the_end_of_all_streams(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        with house.viewers(20) as viewers:
            house.happen("a1")
            assert all(one.hears("a1") for one in viewers)
            house.server.stop()
            assert all(one.ended.wait(60) for one in viewers)
            assert all(one.complete for one in viewers)  # of themselves: what uvicorn has to end is cut off
            assert house.server.join(60)
        assert house.listeners == 0
    finally:
        house.close()


def test_who_comes_while_the_server_stops_is_sent_away(house: House) -> None:
    with house.viewers() as [one]:
        house.broadcast.close()
        assert one.ended.wait(60)
        late = Listener(house.port)
        assert late.ended.wait(20)
        assert late.complete


def test_a_server_that_is_started_again_has_streams_again(house: House) -> None:
    with house.viewers() as [one]:
        house.server.stop()
        assert one.ended.wait(60)
        assert house.server.join(60)
    house.server.stopping.clear()
    house.port = house.server.open()
    house.server.start()
    with house.viewers() as [one]:
        house.happen("a1")
        assert one.hears("a1")


def test_a_question_for_the_head_alone_is_answered(house: House) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=5)
    connection.request("HEAD", "/events")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    assert house.listeners == 0
    connection.close()
