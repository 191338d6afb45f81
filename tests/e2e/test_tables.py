"""Tables of results in the running service: each event is one row, whatever is killed and away in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.e2e.archive_faults import LOGIN
from tests.e2e.conftest import Launch
from tests.e2e.process import ServiceProcess, until
from tests.postgres import PostgresServer
from tests.simulators.camera import CameraSimulator

EVENTS = 100
REGION = LOGIN["AWS_DEFAULT_REGION"]


@pytest.mark.long
def test_every_event_is_one_row_in_both_over_a_crash_and_an_outage_and_edits_follow(
    launch: Launch, cameras: CameraSimulator, postgres: PostgresServer, name: str
) -> None:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    service = launch(
        cameras=[{"location": "Yard", "kind": "still", "url": cameras.url("stamped", "yard")}],
        environment=LOGIN,
        publishers=[
            {"kind": "dynamodb", "table": name, "endpoint_url": f"http://{host}:{port}", "make_table": True},
            {"kind": "postgres", "table": name, "url": postgres.url(), "keep_days": 30},
        ],
    )
    login: dict[str, Any] = {"aws_access_key_id": "someone", "aws_secret_access_key": "whatever", "region_name": REGION}
    table = boto3.resource("dynamodb", endpoint_url=f"http://{host}:{port}", **login).Table(name)

    def both_have(expected: Mapping[str, str]) -> bool:
        """Event id -> review."""
        if dict(postgres.ask(f'SELECT id, review FROM "{name}"')) != expected:
            return False
        items = table.scan(ProjectionExpression="id, review")["Items"]
        return {one["id"]: one["review"] for one in items} == expected

    try:
        service.start().wait_ready()
        accepted = [trigger(service)]
        until(lambda: service.metric("deliveries_total", target="postgres", outcome="ok"), what="the first row")
        accepted += [trigger(service) for _ in range(EVENTS // 2)]
        postgres.stop()
        service.kill()  # in the midst of it
        service.start().wait_ready()
        postgres.start()
        accepted += [trigger(service) for _ in range(EVENTS - len(accepted))]
        expected = dict.fromkeys(accepted, "open")
        until(lambda: both_have(expected), what="a row for each event, in both")

        corrected, deleted, *_ = accepted
        answer = service.http("PATCH", f"/api/snapshots/{corrected}", json={"corrected_labels": ["Cat"]})
        assert answer.status_code == 200
        assert service.http("DELETE", f"/api/snapshots/{deleted}").status_code == 204
        expected[corrected] = "corrected"
        del expected[deleted]
        until(lambda: both_have(expected), what="what people said, in both")
        assert postgres.ask(f'SELECT review_labels FROM "{name}" WHERE id = %s', [corrected]) == [(["Cat"],)]
    finally:
        service.kill()
        moto.stop()


def trigger(service: ServiceProcess, camera: str = "yard") -> str:
    """Have a picture taken; returns the event's id, once the trigger is accepted."""
    answer = service.http("POST", f"/api/cameras/{camera}/trigger")
    assert answer.status_code == 202, answer.text
    event_id: str = answer.json()["event_id"]
    return event_id
