"""Three composed services, a balancer and what they share, tried under triggers; run by `.ci/composed-many`.

One container is killed and another cut off, then all are made anew, one after the other, as an upgrade does.
"""

from __future__ import annotations

import ftplib
import io
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import requests

from tests.e2e.peers import Consumer, House, Received, Sensor, Sent, stream
from tests.e2e.pictures import jpeg
from tests.e2e.process import until
from tests.simulators.camera import stamped

NAMES = {"app": "den", "app-2": "den-2", "app-3": "den-3"}
"""Service -> its `DEVICE_NAME`."""
SERVICES = tuple(NAMES)
CAMERAS = [f"Place {number} Camera" for number in range(1, 13)]
SHARDS = 16
EVERY = 0.25
"""Seconds between two triggers."""
BACK_WITHIN = 30.0
"""Seconds after which all cameras have to answer again."""
AT_LEAST = 60


class Composed:
    """The containers, from the host: over the balancer's port and the broker's."""

    def __init__(self) -> None:
        self.project = os.environ["COMPOSE_PROJECT_NAME"]
        self.url = f"http://127.0.0.1:{os.environ['BALANCER_PORT']}"
        self.login = ("", Path("secrets/web_password").read_text().strip())
        self.house = House(f"amqp://guest:guest@127.0.0.1:{os.environ['BROKER_PORT']}/", "home_automation")

    def get(self, path: str, *, at: str = "", **how: object) -> requests.Response:
        """An answer through the balancer, of this service where it is up."""
        how = {"auth": self.login, "timeout": 30, **how}
        return requests.get(f"{self.url}{path}", cookies={"replica": at} if at else {}, **how)  # type: ignore[arg-type]

    def picture(self, path: str, *, at: str) -> bytes:
        """A picture of this service; empty while it has none."""
        answer = self.get(path, at=at)
        return answer.content if answer.ok else b""

    def metrics(self, service: str) -> dict[str, float]:
        """The metrics of one service that have no labels; empty where another one answered, or none."""
        try:
            answer = self.get("/metrics", at=service)
        except requests.RequestException:
            return {}
        if not answer.ok or "set-cookie" in answer.headers:
            return {}
        lines = (line.split() for line in answer.text.splitlines() if "{" not in line and not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    def share(self, *services: str) -> bool:
        """Whether these, and no others, work on all shards, and one of them leads."""
        found = [self.metrics(service) for service in services]
        if not all(found):
            return False
        shards = [one["replica_shards"] for one in found]
        seen, leads = {one["replicas_seen"] for one in found}, sum(one["replica_leads"] for one in found)
        return seen == {len(services)} and sum(shards) == SHARDS and min(shards) > 0 and leads == 1

    def leader(self, *services: str) -> str:
        """Which of these leads."""
        return until(
            lambda: next((one for one in services if self.metrics(one).get("replica_leads")), None), what="one leads"
        )

    def container(self, service: str) -> str:
        """The id of a service's container, running or not."""
        of = ("project", self.project), ("service", service)
        filters = [part for key, value in of for part in ("--filter", f"label=com.docker.compose.{key}={value}")]
        return docker("ps", "--all", "--quiet", *filters)

    def indexed(self) -> list[str]:
        """The ids of all events in the album, as many times as they are in it."""
        found: list[str] = []
        before = None
        while True:
            answer = self.get("/api/snapshots", params={"limit": 100, **({"before": before} if before else {})})
            answer.raise_for_status()
            page = answer.json()
            found += [one["event_id"] for one in page["snapshots"]]
            before = page["next"]
            if before is None:
                return found


def docker(*arguments: str) -> str:
    """What a command prints."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def compose(*arguments: str) -> None:
    """Compose as a plugin, or the older separate program."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    subprocess.run([*(["docker", "compose"] if plugin else ["docker-compose"]), *arguments], check=True)


class Walk:
    """Triggers and events, and whether they agree."""

    def __init__(self, composed: Composed, consumer: Consumer) -> None:
        self.composed = composed
        self.consumer = consumer
        self.sensor = Sensor(composed.house)

    @contextmanager
    def triggers(self) -> Iterator[None]:
        """Trigger all cameras in turn."""
        with stream([self.sensor], CAMERAS, every=EVERY):
            yield

    def back(self, after: str) -> None:
        """Wait until all cameras answer triggers from now on; raises when that takes too long."""
        began, since = time.monotonic(), len(self.sensor.ledger)

        def answered() -> bool:
            got = {sent.camera for sent in self.sensor.ledger[since:] if self.consumer.about(sent)}
            return len(got) == len(CAMERAS)

        until(answered, what=f"all cameras answer after {after}")
        took = time.monotonic() - began
        print(f"{after}: all cameras answer after {took:.1f} s", flush=True)
        assert took < BACK_WITHIN, "that is too long"

    def settle(self) -> None:
        """Wait until each trigger has led to one event, which is once in the album; raises for another number."""
        sent = list(self.sensor.ledger)
        until(lambda: not self._lost(sent), what="every trigger has led to an event")
        events = {event.message_id for event in self.consumer.latest}
        assert len(events) == len(sent), f"{len(sent)} triggers, {len(events)} events"
        until(lambda: set(self.composed.indexed()) >= events, what="the album shows every event")
        indexed = self.composed.indexed()
        assert sorted(indexed) == sorted(events), f"{len(indexed)} events in the album, {len(events)} were told"
        problems = [event.entry["problem"] for event in self.consumer.latest if event.entry["problem"]]
        assert not problems, problems
        print(f"{len(sent)} triggers, 0 lost, each once in the album", flush=True)

    def _lost(self, sent: list[Sent]) -> list[Sent]:
        numbers = {event.number for event in self.consumer.latest}
        return [one for one in sent if one.number not in numbers]


def killed_and_cut_off(walk: Walk) -> None:
    """Of three services the one that leads is killed, then the next one loses its network; both come back."""
    composed = walk.composed
    network = f"{composed.project}_default"
    with walk.triggers():
        walk.back("the start")
        dead = composed.leader(*SERVICES)
        docker("kill", "--signal", "KILL", composed.container(dead))
        walk.back("the leader was killed")
        cut = composed.leader(*(service for service in SERVICES if service != dead))
        docker("network", "disconnect", network, composed.container(cut))
        walk.back("the next leader was cut off")
        docker("start", composed.container(dead))
        docker("network", "connect", "--alias", cut, network, composed.container(cut))
        until(lambda: composed.share(*SERVICES), what="all three share the work again")
        walk.back("both came back")
        until(lambda: len(walk.sensor.ledger) >= AT_LEAST, what="enough triggers")
    walk.settle()


def upgraded(walk: Walk) -> None:
    """Each service is made anew, one after the other."""
    with walk.triggers():
        for service in SERVICES:
            compose("up", "--detach", "--no-deps", "--force-recreate", service)
            until(lambda: walk.composed.share(*SERVICES), what=f"all three share the work, {service} anew")
        walk.back("the upgrade")
    walk.settle()


def seen_everywhere(walk: Walk) -> None:
    """Each service shows a picture that another one took, out of S3, and one login opens all."""
    composed = walk.composed
    login = requests.Session()
    form, headers = {"password": composed.login[1]}, {"Origin": composed.url}
    login.post(f"{composed.url}/login", data=form, headers=headers, timeout=30)
    session = {"snapshot_session": login.cookies["snapshot_session"]}
    for service, name in NAMES.items():
        taken = next(event for event in walk.consumer.latest if event.routing_key.split(".")[3] != name)
        path = f"/api/snapshots/{taken.message_id}/image"
        picture = until(partial(composed.picture, path, at=service), what=f"{service} has {path}")
        assert picture == taken.entry["image"], path
        page = requests.get(f"{composed.url}/", cookies={"replica": service, **session}, timeout=30)
        assert "/thumbnail" in page.text, (service, page.status_code)
    print("every service shows the others' pictures, and one login opens all", flush=True)


def uploaded_anywhere(walk: Walk) -> None:
    """A camera's upload by FTP is an event, and when the replica it goes to is killed, so is the next one."""
    taken_by = []
    for number in range(2):
        picture = stamped(jpeg(320, 240), f"upload {number}")
        until(partial(_upload, picture), what="the balancer takes an upload")
        event = until(partial(_told, walk.consumer, picture), what="the upload is an event")
        name = event.routing_key.split(".")[3]
        taken_by.append(next(service for service in SERVICES if NAMES[service] == name))
        if not number:
            docker("kill", "--signal", "KILL", walk.composed.container(taken_by[0]))
    docker("start", walk.composed.container(taken_by[0]))
    assert len(set(taken_by)) == 2, taken_by
    print(f"uploads by FTP: {taken_by[0]}, and {taken_by[1]} when that was killed", flush=True)


def _upload(picture: bytes) -> bool:
    try:
        with ftplib.FTP(timeout=30) as ftp:
            ftp.connect("127.0.0.1", int(os.environ["FTP_PORT"]))
            ftp.login(os.environ["FTP_USER"], os.environ["FTP_PASS"])
            return ftp.storbinary("STOR uploads/snapshots/place1/now.jpg", io.BytesIO(picture)).startswith("226")
    except (OSError, EOFError, ftplib.Error):
        return False


def _told(consumer: Consumer, picture: bytes) -> Received | None:
    return next((event for event in consumer.latest if event.entry["image"] == picture), None)


def main() -> None:
    composed = Composed()
    until(lambda: composed.share(*SERVICES), what="all three share the work")
    with Consumer(composed.house) as consumer:
        walk = Walk(composed, consumer)
        killed_and_cut_off(walk)
        seen_everywhere(walk)
        upgraded(walk)
        uploaded_anywhere(walk)


if __name__ == "__main__":
    main()
