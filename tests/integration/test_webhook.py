"""A webhook that is away for a while and back: no event is lost, none has another id, and they come in their order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.journal import Journal
from app.pipeline.publish import Publish
from app.publishers import PublisherContext
from app.publishers.webhook import Webhook
from app.publishers.webhook.settings import WebhookSettings
from pylib.settings.credentials import Secret
from tests.fakes.archives import a_picture, event_id, recorded
from tests.fakes.clock import Clock
from tests.fakes.http_double import HttpDouble, Reply, Seen, http_double
from tests.fakes.journal import opened


@dataclass
class House:
    """One run of the service, as far as deliveries go, by a clock that the test moves."""

    journal: Journal
    stage: Publish
    clock: Clock

    def happens(self, number: int) -> None:
        """Something is seen, and its event handed over."""
        self.stage.handle(recorded(self.journal, a_picture(None, number), "hook"))

    def passes(self, seconds: float) -> None:
        """What is pending is tried, each second."""
        for _ in range(int(seconds)):
            self.clock.now += 1
            for inspection in self.stage.pending():
                self.stage.handle(inspection)

    @property
    def backlog(self) -> int:
        return self.journal.backlog("hook").count


@contextmanager
def running(folder: Path, clock: Clock, port: int) -> Iterator[House]:
    with opened(folder / "journal.db", clock=clock) as journal:
        settings = WebhookSettings(url=Secret(f"http://127.0.0.1:{port}/"), timeout=10, give_up_after=3600)
        publisher = Webhook(settings, PublisherContext(name="hook"), monotonic=clock)
        yield House(journal, Publish(publisher, journal=journal), clock)


def ids(target: HttpDouble) -> list[str]:
    return [json.loads(seen.body)["event_id"] for seen in target.seen]


def test_what_a_dead_target_did_not_get_comes_in_its_order_after_a_restart_too(tmp_path: Path) -> None:
    clock = Clock()
    with http_double() as target:
        port = target.port
        with running(tmp_path, clock, port) as house:
            house.happens(1)
        assert ids(target) == [event_id(1)]
    with running(tmp_path, clock, port) as house:  # the target is away
        for number in range(2, 8):
            house.happens(number)
            house.passes(5)
        assert house.backlog == 6
    with running(tmp_path, clock, port) as house:  # and the service was restarted meanwhile
        house.passes(90)
        house.happens(8)
        with http_double(port=port) as target:
            house.happens(9)
            house.passes(200)
            house.happens(10)
            assert house.backlog == 0
            assert ids(target) == [event_id(number) for number in range(2, 11)]
            assert {seen.headers["Idempotency-Key"] for seen in target.seen} == set(ids(target))


def test_a_target_that_misbehaves_gets_every_event_and_only_what_it_will_never_take_is_given_up(tmp_path: Path) -> None:
    clock = Clock()
    with http_double() as target, running(tmp_path, clock, target.port) as house:
        taken: list[str] = []
        answers = iter([Reply(500), Reply(0), Reply(503, {"Retry-After": "30"}), Reply(401), Reply(308)])

        def answer(seen: Seen) -> Reply:
            event = json.loads(seen.body)["event_id"]
            if event == event_id(3):
                return Reply(410)
            refused = next(answers, None)
            if refused is None:
                taken.append(event)
            return refused or Reply()

        target.answer = answer
        for number in range(1, 6):
            house.happens(number)
        house.passes(300)
        assert sorted(taken) == [event_id(number) for number in (1, 2, 4, 5)]
        assert house.backlog == 0
        assert house.journal.backlog("hook").given_up == 1


def test_a_mistake_that_nobody_corrects_ends_after_a_while(tmp_path: Path) -> None:
    clock = Clock()
    with http_double() as target, running(tmp_path, clock, target.port) as house:
        target.answer = lambda _: 404
        house.happens(1)
        house.passes(60)
        assert house.backlog == 1
        clock.now += 3600
        house.passes(90)
        assert (house.backlog, house.journal.backlog("hook").given_up) == (0, 1)
