"""Rules in the running service: who is told, why not, and that nothing is lost over it."""

from __future__ import annotations

import json

from tests.e2e.conftest import Launch
from tests.e2e.peers import Consumer, House, Sensor
from tests.e2e.process import until
from tests.fakes.http_double import HttpDouble, http_double

RULES = "rules: [{name: calm, labels: {}, cooldown: 3600, outlets: [phone]}]"
NONE = "rules: [{name: calm, cameras: [Porch], outlets: [phone]}]"


def ids(target: HttpDouble) -> list[str]:
    return [json.loads(seen.body)["event_id"] for seen in target.seen]


def test_rules_hold_messages_back_with_their_reason_and_a_dead_outlet_gets_its_own_after_a_crash(
    house: House, launch: Launch
) -> None:
    with http_double() as phone, http_double() as log, Consumer(house) as consumer, Sensor(house) as sensor:
        phone.hold.clear()
        outlets = [{"kind": "webhook", "name": name, "url": one.url} for name, one in (("phone", phone), ("log", log))]
        cameras = [{"location": place, "kind": "demo"} for place in ("Yard", "Porch")]
        service = launch(house, cameras=cameras, publishers=outlets)
        (service.home / "data").mkdir(exist_ok=True)
        rules = service.home / "data/rules.yml"
        rules.write_text(RULES)
        service.start().wait_ready()
        for _ in range(3):
            sensor.send("Yard Camera")
        until(lambda: len(consumer.latest) == 3 and len(log.seen) == 3 and len(phone.seen) == 1)
        entries = [one.entry for one in consumer.latest]
        assert [entry["event_id"] for entry in entries] == ids(log)
        reasons = [entry["decision_reasons"] for entry in entries]
        assert reasons == [
            {"phone": "told, calm: every event"},
            *[{"phone": "not told, calm: cooldown, 60 min left"}] * 2,
        ]

        service.kill()  # while the phone's message is under way
        phone.hold.set()
        rules.write_text("rules: [{name: calm, camera: [Porch]}]")  # wrong: those from before hold, or none
        service.start().wait_ready()
        until(lambda: len(phone.seen) >= 2)
        assert set(ids(phone)) == {entries[0]["event_id"]}
        assert "rules[0].camera (line 1): is not a setting; did you mean cameras?" in service.log

        rules.write_text(NONE)  # read while it runs
        sensor.send("Yard Camera")
        until(lambda: len(consumer.latest) == 4 and len(log.seen) >= 4)
        assert consumer.latest[-1].entry["decision_reasons"] == {"phone": "not told, calm: another camera"}
        assert set(ids(phone)) == {entries[0]["event_id"]}
        service.terminate()
        assert service.wait() == 0
