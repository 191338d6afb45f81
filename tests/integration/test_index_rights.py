"""Who may see some cameras sees those of all replicas, and no other one: pages, pictures, streams, changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.web.access.caller import Right
from app.web.access.tokens import FILE, Tokens
from app.web.application import application
from app.web.settings import WebSettings
from app.web.streaming.broadcast import Broadcast
from pylib.settings.credentials import Secret
from tests.fakes.index import Replica, an_index
from tests.fakes.web import FRONT, KITCHEN, Client, close, parts_for, serving, shown
from tests.postgres import PostgresServer


@contextmanager
def two_replicas(folder: Path, url: str) -> Iterator[tuple[Client, Replica]]:
    """The web side of one, and the other one, which has all the events; they share an archive."""
    here = parts_for(folder / "here", settings=WebSettings(password=Secret("right")))
    there = parts_for(folder / "there")
    replicas = [Replica(name, url, one.journal, folder) for name, one in (("here", here), ("there", there))]
    own, other = replicas
    other.archive.open()
    for name, camera in (("front", FRONT), ("kitchen", KITCHEN)):
        inspection = shown(there, folder / "there", name, targets=("folder",), camera=camera)
        other.archive.store(inspection, Path(inspection.snapshot.path).read_bytes())
        there.journal.delivered(name, "folder", md5="5d41")
    other.look()
    broadcast = Broadcast(own.album, here.live)
    with serving(application(replace(here, index=own.album, fetch=own.pictures.fetch, broadcast=broadcast))) as client:
        yield client, other
    for replica, parts in zip(replicas, (here, there), strict=True):
        replica.database.close()
        close(parts)


def test_who_may_see_one_camera_finds_the_other_of_another_replica_nowhere(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    tokens = Tokens(tmp_path / "here" / "web" / FILE)
    with two_replicas(tmp_path, an_index(postgres)) as (client, other):
        for wanted, hidden, camera in (("front", "kitchen", FRONT), ("kitchen", "front", KITCHEN)):
            token = tokens.add(wanted, right=Right.OPERATOR, cameras=[camera])
            own = {"Authorization": f"Bearer {token}"}
            page = {**own, "Accept": "text/html"}
            listed = client.get("/api/snapshots", headers=own).json()["snapshots"]
            assert [one["event_id"] for one in listed] == [wanted]
            (visit,) = client.get("/api/visits", headers=own).json()["visits"]
            assert visit["device_key"] == camera
            assert client.get("/api/count", headers=own).json()["snapshots"] == 1
            for path in ("", "/image", "/thumbnail", "/annotated"):
                assert client.get(f"/api/snapshots/{wanted}{path}", headers=own).status_code == 200, path
                assert client.get(f"/api/snapshots/{hidden}{path}", headers=own).status_code == 404, path
            assert client.get(f"/snapshots/{hidden}", headers=page).status_code == 404
            assert f"/snapshots/{hidden}" not in client.get(f"/snapshots/{wanted}", headers=page).text
            assert f"/snapshots/{hidden}" not in client.get("/", headers=page).text
            change = {"starred": True}
            assert client.ask("PATCH", f"/api/snapshots/{hidden}", json=change, headers=own).status_code == 404
            numbers = other.database.read("SELECT visit FROM index_events WHERE id = %s", [hidden])
            refused = client.ask("PATCH", f"/api/visits/{numbers[0][0]}", json={"reviewed": True}, headers=own)
            assert refused.status_code == 404
        other.look()
        entries = [other.journal.entry(name) for name in ("front", "kitchen")]
        assert [entry and (entry.starred, entry.reviewed) for entry in entries] == [(False, False)] * 2
