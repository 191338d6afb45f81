"""Health: live and ready, told apart, and told even when something is badly broken."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

from pylib.observability.health import Health, Status, disk_free, progress
from pylib.runtime.threads import ManagedThread


def live(health: Health) -> bool:
    return bool(health.report(live_only=True)["live"])


def ready(health: Health) -> bool:
    return bool(health.report()["ready"])


def well() -> Status:
    return Status(ok=True, detail="fine")


def ill() -> Status:
    return Status(ok=False, detail="not connected")


def test_a_service_without_probes_is_well() -> None:
    assert Health().report() == {"live": True, "ready": True, "state": "working", "checks": []}


def test_without_its_broker_it_is_alive_but_not_ready() -> None:
    health = Health()
    health.add("fetch", well, live=True)
    health.add("broker", ill)
    report = health.report()
    assert (report["live"], report["ready"]) == (True, False)
    assert (live(health), ready(health)) == (True, False)
    assert health.problem() == "broker: not connected"


def test_a_dead_thread_makes_it_neither() -> None:
    health = Health()
    health.add("fetch", ill, live=True)
    assert (live(health), ready(health)) == (False, False)


def test_what_is_not_critical_is_shown_and_changes_nothing() -> None:
    health = Health()
    health.add("drive", ill, critical=False)
    assert ready(health)
    assert health.problem() == ""
    assert health.report()["checks"] == [
        {
            "name": "drive",
            "ok": False,
            "detail": "not connected",
            "critical": False,
            "live": False,
            "alarm": False,
            "state": "failing",
        }
    ]


def test_an_alarm_is_told_and_leaves_it_ready() -> None:
    health = Health()
    health.add("archived to drive", ill, critical=False, alarm=True)
    health.add("broker", ill)
    assert health.problem() == "archived to drive: not connected; broker: not connected"
    assert live(health)
    calm = Health()
    calm.add("archived to drive", ill, critical=False, alarm=True)
    assert ready(calm)
    assert (calm.report()["live"], calm.report()["ready"]) == (True, True)


def test_a_probe_that_raises_has_failed_and_the_others_still_answer() -> None:
    def broken() -> Status:
        raise OSError("cannot reach http://admin:hunter2@10.0.0.1/?pwd=hunter2")

    health = Health()
    health.add("camera", broken)
    health.add("disk", well)
    report = health.report()
    assert [check["ok"] for check in report["checks"]] == [False, True]
    assert "OSError" in report["checks"][0]["detail"]
    assert "hunter2" not in json.dumps(report)


def test_what_a_probe_says_is_cleaned_and_cut() -> None:
    def long() -> Status:
        raise OSError("no route to the broker, " * 100)

    health = Health()
    health.add("camera", lambda: Status(ok=False, detail="no answer of http://admin:hunter2@10.0.0.1"))
    health.add("broker", long)
    told, cut = health.checks()
    assert told.detail == "no answer of http://***@10.0.0.1"
    assert len(cut.detail) == 300


def test_a_question_for_life_asks_no_other_probe() -> None:
    health = Health()
    health.add("broker", ill)
    health.add("fetch", well, live=True)
    assert [check["name"] for check in health.report(live_only=True)["checks"]] == ["fetch"]


def test_a_report_is_json() -> None:
    health = Health()
    health.add("a", well)
    health.add("b", ill)
    assert json.loads(json.dumps(health.report())) == health.report()


class Sleeper(ManagedThread):
    def __init__(self) -> None:
        super().__init__("sleeper")
        self.begun = threading.Event()

    def run(self) -> None:
        self.begun.set()
        self.stopping.wait(30)


def test_a_thread_is_well_while_it_runs_and_beats() -> None:
    loop = Sleeper()
    assert progress(loop)() == Status(ok=False, detail="not running")
    loop.start()
    assert loop.begun.wait(60)
    try:
        assert progress(loop)().ok
        loop.stall_after = 0.01
        time.sleep(0.05)
        assert progress(loop)().ok is False
        assert "no progress" in progress(loop)().detail
    finally:
        loop.stop()
        assert loop.join(60)
    assert progress(loop)().detail == "not running"


def test_a_disk_is_well_while_enough_is_free(tmp_path: Path) -> None:
    assert disk_free(tmp_path, at_least=1)().ok
    full = disk_free(tmp_path, at_least=10**18)()
    assert not full.ok
    assert "GB free" in full.detail


def test_a_folder_that_is_gone_is_a_failed_probe(tmp_path: Path) -> None:
    health = Health()
    health.add("disk", disk_free(tmp_path / "gone", at_least=1))
    assert not ready(health)
