"""The fetch stage: every trigger ends in one recorded outcome, and is acknowledged after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.cameras import CameraRejected, CameraUnavailable
from app.journal import Journal
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.messages import Burst, BurstBegun, Snapshot, Trigger
from app.pipeline.brought_logins import BroughtLogins
from app.pipeline.channel import Channel
from app.pipeline.fetch import Fetch
from app.storage.cache import Cache, CacheUnavailable
from pylib.runtime.circuit_breaker import Breaker
from pylib.settings.credentials import Secret
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.cameras import FakeCamera, jpeg
from tests.fakes.clock import Clock
from tests.fakes.durability import disk
from tests.fakes.journal import full_disk
from tests.fakes.pictures import decoded
from tests.fakes.triggers import a_trigger

AWAY = CameraUnavailable("timeout", "no answer within 10 s")
REFUSED = CameraRejected("login_refused", "the camera refuses the login")


class Stand:
    """A fetch stage with one camera, and what it did."""

    def __init__(
        self, journal: Journal, cache: Cache, *answers: object, timeout: float = 10.0, clock: Clock | None = None
    ) -> None:
        clock = clock or Clock()
        self.camera = FakeCamera(*answers)  # type: ignore[arg-type]
        self.journal = journal
        self.acknowledged: list[str] = []
        self.begun: list[None] = []
        self.counted: list[tuple[str, str]] = []
        self.counted_triggers: list[tuple[str, str]] = []
        self.note: Callable[[str], None] = lambda _step: None
        self.channel = Channel(
            self.camera, label="Yard", timeout=timeout, breaker=Breaker(clock=clock), brought=BroughtLogins(clock)
        )
        self.stage = Fetch(
            {"Yard Camera": self.channel},
            journal=journal,
            cache=cache,
            acknowledge=self._acknowledge,
            begins={"Booth Camera": lambda: self.begun.append(self.note("begin"))},
            count=lambda *pair: self.counted.append(pair),
            count_trigger=lambda *pair: self.counted_triggers.append(pair),
            close=lambda: self.camera.close(),
        )

    def _acknowledge(self, trigger: Trigger) -> None:
        self.acknowledged.append(trigger.receipt)
        self.note("acknowledge")

    def fetch(self, event_id: str = "t1", **changes: object) -> Snapshot:
        (snapshot,) = self.stage.handle(a_trigger(event_id, **changes))
        assert isinstance(snapshot, Snapshot)
        return snapshot


@pytest.fixture
def stand(journal: Journal, cache: Cache) -> Stand:
    return Stand(journal, cache)


def test_a_trigger_becomes_a_picture_on_disk_a_record_and_then_an_acknowledgement(stand: Stand) -> None:
    snapshot = stand.fetch(active_input={"device_key": "Beam"}, traceparent="00-1")
    assert Path(snapshot.path).read_bytes() == jpeg()
    assert (snapshot.width, snapshot.height, snapshot.size) == (64, 48, len(jpeg()))
    assert (snapshot.problem, snapshot.active_input, snapshot.traceparent) == (
        "",
        {"device_key": "Beam"},
        "00-1",
    )
    assert 0 <= snapshot.delay_s < 5
    assert stand.journal.find("t1") == snapshot
    assert stand.acknowledged == ["1:7"]
    assert stand.counted == [("Yard Camera", "ok")]


def test_what_only_begins_something_is_acknowledged_after_that_and_leaves_no_event(
    stand: Stand, journal: Journal
) -> None:
    steps: list[str] = []
    stand.note = steps.append
    trigger = a_trigger(camera="Booth Camera")
    journal.accept(trigger)
    assert list(stand.stage.handle(trigger)) == []
    assert steps == ["begin", "acknowledge"]
    assert journal.accepted(older_than=-1) == []
    assert journal.find("t1") is None
    assert stand.counted_triggers == [("rabbitmq", "accepted")]
    old = datetime.now(UTC) - timedelta(seconds=130)
    assert stand.fetch("t2", camera="Booth Camera", timestamp=old, queued=True).problem.startswith("stale")
    assert len(stand.begun) == 1


def test_nothing_is_acknowledged_that_could_not_be_recorded(stand: Stand, cache: Cache) -> None:
    cache.root.write_text("a file in the way of the folder")
    with pytest.raises(CacheUnavailable):
        stand.fetch()
    assert stand.acknowledged == []
    assert stand.journal.find("t1") is None


def test_a_journal_that_cannot_be_written_leaves_the_trigger_to_its_source(stand: Stand, journal: Journal) -> None:
    with full_disk(journal):
        for trigger in (a_trigger(), a_trigger(key="sha:1")):
            with pytest.raises(DatabaseUnavailable):
                stand.stage.handle(trigger)
            with pytest.raises(DatabaseUnavailable):
                stand.stage.shed(trigger)
    assert (stand.acknowledged, stand.counted, stand.counted_triggers) == ([], [], [])


def test_the_picture_is_safe_before_its_record_and_the_record_before_the_acknowledgement(
    stand: Stand, journal: Journal, tmp_path: Path
) -> None:
    with disk(tmp_path) as watched:
        watched.watch(journal)
        stand.note = watched.note
        path = Path(stand.fetch().path)
        assert watched.steps[-3:] == ["sync yard-camera", "commit", "acknowledge"]
        assert watched.left()[str(path.relative_to(tmp_path))] == jpeg()


def test_a_camera_that_fails_ends_as_a_recorded_failure(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, AWAY)
    snapshot = stand.fetch()
    assert snapshot.problem == "timeout: no answer within 10 s"
    assert snapshot.path == ""
    assert journal.find("t1") == snapshot
    assert stand.acknowledged == ["1:7"]
    assert stand.counted == [("Yard Camera", "timeout: no answer within 10 s")]


def test_a_passing_failure_is_tried_again_at_once(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, AWAY, jpeg()[:200], jpeg())
    assert stand.fetch().problem == ""
    assert len(stand.camera.calls) == 3


def test_a_refused_login_is_not_tried_again_not_even_for_the_next_trigger(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, REFUSED)
    assert stand.fetch("t1").problem.startswith("login_refused")
    assert stand.fetch("t2").problem.startswith("circuit_open")
    assert len(stand.camera.calls) == 1


def test_a_login_that_was_refused_once_after_it_worked_is_asked_for_the_next_trigger(
    journal: Journal, cache: Cache
) -> None:
    stand = Stand(journal, cache, jpeg(), REFUSED, jpeg())
    assert [stand.fetch(name).problem.partition(":")[0] for name in ("t1", "t2", "t3")] == ["", "login_refused", ""]


def test_a_login_that_is_refused_again_and_again_after_it_worked_is_tried_three_times(
    journal: Journal, cache: Cache, clock: Clock
) -> None:
    stand = Stand(journal, cache, jpeg(), REFUSED, clock=clock)
    for number in range(20):
        stand.fetch(str(number))
        clock.now += 10
    assert len(stand.camera.calls) == 1 + 3


def test_a_camera_that_fails_now_and_then_is_not_left_alone(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, *[AWAY, AWAY, jpeg()] * 4, timeout=0.0)
    outcomes = [stand.fetch(str(number)).problem.partition(":")[0] for number in range(12)]
    assert outcomes == ["timeout", "timeout", ""] * 4


@pytest.mark.parametrize("failure", [AWAY, ZeroDivisionError(), b"no picture"])
def test_a_camera_that_keeps_failing_is_left_alone(journal: Journal, cache: Cache, failure: Exception | bytes) -> None:
    stand = Stand(journal, cache, failure, timeout=0.0)
    problems = [stand.fetch(str(number)).problem.partition(":")[0] for number in range(5)]
    assert problems[2:].count("circuit_open") == 2
    assert len(stand.camera.calls) == 3


def test_any_number_of_wrong_logins_in_triggers_is_three_guesses(journal: Journal, cache: Cache, clock: Clock) -> None:
    stand = Stand(journal, cache, REFUSED, clock=clock)
    for number in range(30):
        stand.fetch(str(number), device_params=Secret(f"admin:{number % 20}@10.0.0.1:80"))
    assert len(stand.camera.calls) == 3
    assert stand.fetch("last", device_params=Secret("admin:x@10.0.0.1:80")).problem.startswith("circuit_open: triggers")
    clock.now += 300
    assert stand.fetch("then", device_params=Secret("admin:x@10.0.0.1:80")).problem.startswith("login_refused")


def test_wrong_logins_in_triggers_harm_neither_the_configured_one_nor_one_that_worked(
    journal: Journal, cache: Cache
) -> None:
    stand = Stand(journal, cache, jpeg(), REFUSED, REFUSED, REFUSED, jpeg())
    good = Secret("admin:good@10.0.0.1:80")
    assert stand.fetch("t0", device_params=good).problem == ""
    for number in range(20):
        stand.fetch(f"w{number}", device_params=Secret(f"admin:{number}@10.0.0.1:80"))
    assert stand.fetch("t1").problem == ""
    assert stand.fetch("t2", device_params=good).problem == ""


def test_a_login_that_is_refused_stays_so_whatever_triggers_bring_in_between(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, REFUSED, jpeg())
    assert stand.fetch("t1").problem.startswith("login_refused")
    for number in range(3):
        assert stand.fetch(f"g{number}", device_params=Secret(f"admin:{number}@10.0.0.1:80")).problem == ""
    assert stand.fetch("t2").problem.startswith("circuit_open")


def test_the_logins_of_triggers_that_are_remembered_are_the_latest_sixteen(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, REFUSED, AWAY, timeout=0.0)

    def fetch(number: int) -> str:
        params = Secret(f"admin:x@10.0.0.{number}:80")
        return stand.fetch(f"{number}-{len(stand.camera.calls)}", device_params=params).problem.partition(":")[0]

    assert fetch(0) == "login_refused"
    assert {fetch(number) for number in range(1, 16)} == {"timeout"}
    assert fetch(0) == "circuit_open"
    assert {fetch(number) for number in range(16, 32)} == {"timeout"}
    assert fetch(0) == "timeout"


def test_another_login_in_the_trigger_starts_with_a_closed_circuit(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, REFUSED, jpeg())
    assert stand.fetch("t1", device_params=Secret("admin:wrong@10.0.0.1:80")).problem.startswith("login_refused")
    assert stand.fetch("t2", device_params=Secret("admin:right@10.0.0.1:80")).problem == ""
    assert stand.camera.calls == ["admin:wrong@10.0.0.1:80", "admin:right@10.0.0.1:80"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "empty"),
        (b"<html><body>Login</body></html>", "not_an_image"),
        (jpeg()[:300], "truncated"),
        (b"\xff\xd8\xff\xe0" + b"noise" * 100, ""),
    ],
)
def test_an_answer_that_is_no_picture_is_a_failure_with_its_reason(
    journal: Journal, cache: Cache, answer: bytes, code: str
) -> None:
    snapshot = Stand(journal, cache, answer, timeout=0.01).fetch()
    assert snapshot.problem.startswith(code)
    assert snapshot.problem
    assert snapshot.path == ""
    assert not list(cache.root.rglob("*.*"))


def test_an_unexpected_error_of_an_adapter_is_a_recorded_failure_too(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, ZeroDivisionError("user:password@host"))
    assert stand.fetch().problem == "internal_error: ZeroDivisionError"
    assert stand.acknowledged == ["1:7"]


def test_a_trigger_as_old_as_may_be_is_answered(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache)
    assert stand.fetch(timestamp=datetime.now(UTC) - timedelta(seconds=110), queued=True).problem == ""


def test_a_trigger_that_waited_too_long_is_recorded_as_stale_without_a_picture(stand: Stand) -> None:
    old = datetime.now(UTC) - timedelta(seconds=500)
    snapshot = stand.fetch(timestamp=old, queued=True)
    assert snapshot.problem.startswith("stale: ")
    assert snapshot.delay_s == pytest.approx(500, abs=5)
    assert stand.camera.calls == []
    assert stand.acknowledged == ["1:7"]


def test_a_sensor_with_a_wrong_clock_is_served_and_its_timestamp_passed_on(stand: Stand) -> None:
    snapshot = stand.fetch(timestamp=datetime(1970, 1, 1, tzinfo=UTC))
    assert snapshot.problem == ""
    assert snapshot.timestamp == datetime(1970, 1, 1, tzinfo=UTC)
    assert snapshot.delay_s < 5


def test_a_trigger_shed_from_a_full_queue_is_recorded_with_its_reason(stand: Stand) -> None:
    (snapshot,) = stand.stage.shed(a_trigger())
    assert isinstance(snapshot, Snapshot)
    assert snapshot.problem.startswith("overloaded: ")
    assert stand.journal.find("t1") == snapshot
    assert stand.acknowledged == ["1:7"]
    assert stand.camera.calls == []


def test_a_trigger_that_may_be_waiting_here_already_is_not_shed(stand: Stand) -> None:
    assert stand.stage.may_shed(a_trigger())
    assert not stand.stage.may_shed(a_trigger(redelivered=True))


def test_a_trigger_delivered_again_under_its_message_id_is_only_acknowledged(stand: Stand) -> None:
    stand.fetch("t1", key="id:42", receipt="1:1")
    assert list(stand.stage.handle(a_trigger("t1", key="id:42", receipt="2:1"))) == []
    assert list(stand.stage.shed(a_trigger("t1", key="id:42", receipt="2:2"))) == []
    assert stand.acknowledged == ["1:1", "2:1", "2:2"]
    assert len(stand.camera.calls) == 1
    assert [outcome for _, outcome in stand.counted_triggers] == ["accepted", "duplicate", "duplicate"]


def test_a_redelivered_body_is_recognised_once_for_each_record(stand: Stand) -> None:
    stand.fetch("t1", key="sha:1", receipt="1:1")
    assert list(stand.stage.handle(a_trigger("t2", key="sha:1", receipt="2:1", redelivered=True))) == []
    # A sensor whose clock stands still sent the same body twice: the second one has no record yet.
    assert stand.fetch("t3", key="sha:1", receipt="2:2", redelivered=True).id == "t3"


def test_the_same_body_that_is_not_redelivered_is_a_new_trigger(stand: Stand) -> None:
    assert stand.fetch("t1", key="sha:1", receipt="1:1").id == "t1"
    assert stand.fetch("t2", key="sha:1", receipt="1:2").id == "t2"


def test_a_body_is_forgotten_once_the_broker_has_processed_its_acknowledgement(stand: Stand) -> None:
    stand.fetch("t1", key="sha:1", receipt="1:1")
    stand.stage.settled("rabbitmq", ["1:1"])
    assert stand.fetch("t2", key="sha:1", receipt="2:1", redelivered=True).id == "t2"


def test_what_one_broker_has_processed_says_nothing_of_another_s_receipts(stand: Stand) -> None:
    stand.fetch("t1", key="sha:1", receipt="1:1", origin="mqtt")
    stand.stage.settled("rabbitmq", ["1:1", "2:1"])
    assert list(stand.stage.handle(a_trigger("t2", key="sha:1", receipt="2:1", redelivered=True, origin="mqtt"))) == []
    stand.stage.settled("mqtt", ["2:1"])
    assert stand.fetch("t3", key="sha:1", receipt="3:1", redelivered=True, origin="mqtt").id == "t3"


def test_a_recognised_redelivery_is_recognised_again_over_the_next_connection(stand: Stand) -> None:
    stand.fetch("t1", key="sha:1", receipt="1:1")
    for session in (2, 3):
        again = a_trigger(f"r{session}", key="sha:1", receipt=f"{session}:1", redelivered=True)
        assert list(stand.stage.handle(again)) == []


def test_what_was_accepted_before_a_restart_is_owed_at_once(journal: Journal, cache: Cache, clock: Clock) -> None:
    journal.accept(a_trigger("t9", origin="http", receipt=""))
    clock.now += 1
    stage = Stand(journal, cache).stage
    assert [trigger.id for trigger in stage.pending()] == ["t9"]
    assert list(stage.pending()) == []  # fresh ones are left to the message that announces them


def test_what_is_accepted_after_the_start_is_left_to_its_message(stand: Stand) -> None:
    stand.journal.accept(a_trigger("t9", origin="http", receipt=""))
    assert list(stand.stage.pending()) == []


def test_a_trigger_that_the_record_named_before_its_message_came_has_one_picture(stand: Stand) -> None:
    trigger = a_trigger("t9", origin="http", receipt="", key="")
    stand.journal.accept(trigger)
    (snapshot,) = stand.stage.handle(trigger)
    assert list(stand.stage.handle(trigger)) == []
    assert len(stand.camera.calls) == 1
    assert stand.journal.find("t9") == snapshot


def test_a_camera_that_is_no_longer_configured_ends_with_a_reason(stand: Stand) -> None:
    assert stand.fetch(camera="Gone Camera").problem.startswith("unknown_camera: ")


def test_closing_the_stage_closes_its_cameras(stand: Stand) -> None:
    stand.stage.close()
    assert stand.camera.closed


def test_a_trigger_s_burst_counts_before_a_rule_s_and_that_before_the_camera_s(stand: Stand) -> None:
    stand.channel.burst = Burst(2)
    (camera_s,) = stand.stage.handle(a_trigger("t1"))
    stand.stage._wanted = lambda _camera: Burst(3)
    (rule_s,) = stand.stage.handle(a_trigger("t2"))
    (trigger_s,) = stand.stage.handle(a_trigger("t3", burst=Burst(4)))
    (single,) = stand.stage.handle(a_trigger("t4", burst=Burst(1)))
    begun = [one for one in (camera_s, rule_s, trigger_s) if isinstance(one, BurstBegun)]
    assert [one.snapshot.burst for one in begun] == [Burst(2), Burst(3), Burst(4)]
    assert all(Path(one.snapshot.path).read_bytes() == jpeg() for one in begun)
    assert isinstance(single, Snapshot)


def test_a_picture_that_is_to_come_later_is_left_to_the_burst_stage_with_its_login(
    stand: Stand, journal: Journal
) -> None:
    (begun,) = stand.stage.handle(a_trigger(burst=Burst(1, delay=5), device_params=Secret("me:pw@10.0.0.9")))
    assert isinstance(begun, BurstBegun)
    assert (stand.camera.calls, stand.counted, stand.acknowledged) == ([], [], ["1:7"])
    assert begun.device_params == Secret("me:pw@10.0.0.9")
    assert journal.unfinished_bursts(older_than=-1) == [begun.snapshot]


def test_a_camera_that_gives_no_first_picture_has_no_burst(journal: Journal, cache: Cache) -> None:
    stand = Stand(journal, cache, REFUSED)
    snapshot = stand.fetch(burst=Burst(5))
    assert (snapshot.burst, snapshot.problem.partition(":")[0]) == (None, "login_refused")
    assert journal.uninspected(older_than=-1) == [snapshot]


def test_a_wish_survives_a_restart(journal: Journal) -> None:
    journal.accept(a_trigger("t9", burst=Burst(4, 0.25, 3.0, "person")))
    (trigger,) = journal.accepted(older_than=-1)
    assert trigger.burst == Burst(4, 0.25, 3.0, "person")


def test_a_picture_is_masked_as_it_is_at_that_moment(stand: Stand) -> None:
    now = [Adjustments(rotate=90, masks=(((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)),))]
    stand.camera.answers = [jpeg(color="white")]
    stand.channel.adjustments = lambda: now[0]
    snapshot = stand.fetch("t1")
    image = decoded(Path(snapshot.path).read_bytes())
    assert ((snapshot.width, snapshot.height), image.size) == ((48, 64), (48, 64))
    assert snapshot.size == Path(snapshot.path).stat().st_size
    assert max(image.crop((0, 0, 48, 32)).tobytes()) < 24 < min(image.crop((0, 40, 48, 64)).tobytes())
    now[0] = AS_IT_CAME
    assert Path(stand.fetch("t2").path).read_bytes() == jpeg(color="white")
