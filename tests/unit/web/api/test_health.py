"""Health and metrics over HTTP: all of it for those who may see it, one word for strangers."""

from __future__ import annotations

from pathlib import Path

from app.web.application import application
from app.web.settings import WebSettings
from pylib.observability.health import Status
from pylib.settings.credentials import Secret
from tests.fakes.web import close, parts_for, serving
from tests.unit.web.api.conftest import House


def away() -> Status:
    return Status(ok=False, detail="not connected")


def test_health_says_which_part_is_unwell(house: House) -> None:
    assert house.client.get("/health/ready").json() == {"live": True, "ready": True, "state": "working", "checks": []}
    house.context.health.add("broker", away)
    assert house.client.get("/health/live").status_code == 200
    answer = house.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"][0]["detail"] == "not connected"


def test_live_asks_the_threads_and_nobody_else(house: House) -> None:
    asked = []

    def probe() -> Status:
        asked.append("broker")
        return Status(ok=True)

    house.context.health.add("broker", probe)
    house.context.health.add("fetch", lambda: Status(ok=False, detail="not running"), live=True)
    answer = house.client.get("/health/live")
    assert (answer.status_code, answer.json()["live"]) == (503, False)
    assert [check["name"] for check in answer.json()["checks"]] == ["fetch"]
    assert asked == []


def test_strangers_get_one_word(tmp_path: Path) -> None:
    context = parts_for(tmp_path, settings=WebSettings(password=Secret("right")))
    with serving(application(context)) as client:
        assert client.get("/health/live").json() == {"live": True}
        assert client.get("/health/ready").json() == {"ready": True}
        context.health.add("broker", away)
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"ready": False})
        known = client.get("/health/ready", headers={"Authorization": "Bearer right"})
        assert known.json()["checks"][0]["name"] == "broker"
        assert client.get("/metrics").status_code == 401
    close(context)


def test_metrics_come_as_prometheus_reads_them(house: House) -> None:
    answer = house.client.get("/metrics")
    assert answer.content == b"up 1\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
