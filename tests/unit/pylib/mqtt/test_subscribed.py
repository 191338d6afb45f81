"""Topics that are taken out of the settings end at the broker, which keeps them otherwise."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from pylib.mqtt.subscribed import Subscribed


def test_what_was_subscribed_before_and_is_not_wanted_is_gone_until_the_broker_has_it(tmp_path: Path) -> None:
    file = tmp_path / "mqtt" / "mqtt-subscriptions.json"
    first = Subscribed(file, ["a", "b/#"])
    assert first.gone == []
    first.set_up()
    assert Subscribed(file, ["a", "b/#"]).gone == []
    for _ in range(2):
        later = Subscribed(file, ["c", "a"])
        assert later.gone == ["b/#"]
    later.set_up()
    assert Subscribed(file, ["c"]).gone == ["a"]


def test_a_file_that_makes_no_sense_or_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    file = tmp_path / "subscriptions.json"
    for text in ("no json", "7", "[7]"):
        file.write_text(text)
        assert Subscribed(file, ["a"]).gone == []
    file.unlink()
    file.mkdir()
    with capture_logs() as logs:
        Subscribed(file, ["a"]).set_up()
    assert [entry["event"] for entry in logs] == ["subscriptions not remembered"]
