"""Confidences that people's corrections speak for."""

from __future__ import annotations

from dataclasses import replace

from app.messages import Detection, Inspection, Label, Review, Snapshot
from app.rules.thresholds import Proposal, proposals
from tests.fakes.album import NOW

EVENT = Inspection(Snapshot("a", "Yard Camera", "Yard", NOW, NOW, 0, "http", "/a.jpg"), "hog")


def seen(confidence: float, *named: str, label: str = "Person") -> Inspection:
    """Seen with this confidence, or not at all for 0; people named what is there."""
    labels = (Label(label, confidence),) if confidence else ()
    return replace(EVENT, detection=Detection(labels), review=Review(named))


def test_a_threshold_parts_what_is_right_from_what_is_not() -> None:
    events = [*(seen(0.55) for _ in range(6)), *(seen(0.75, "person") for _ in range(5)), seen(0.9, "Person", "Dog")]
    assert proposals(events) == [Proposal("Yard Camera", "hog", "Person", 0.65, 12, 6, 0, 0)]


def test_where_all_is_wrong_nothing_is_believed_and_where_all_is_right_everything_is() -> None:
    (none,) = proposals([seen(0.5 + number / 100) for number in range(10)])
    (all_of_it,) = proposals([seen(0.5 + number / 100, "Person") for number in range(10)])
    assert (none.threshold, none.wrong_now, none.wrong_then) == (0.6, 10, 0)
    assert (all_of_it.threshold, all_of_it.wrong_then) == (0.0, 0)


def test_missing_somebody_is_worse_than_a_message_too_many() -> None:
    events = [*(seen(0.6, "Person") for _ in range(5)), *(seen(0.6) for _ in range(5))]
    assert proposals(events)[0].threshold == 0.0


def test_what_was_not_seen_at_all_is_said() -> None:
    events = [*(seen(0, "Person") for _ in range(4)), *(seen(0.8, "Person") for _ in range(6))]
    assert (proposals(events)[0].missed, proposals(events)[0].wrong_then) == (4, 4)


def test_too_few_and_what_nobody_has_looked_at_say_nothing() -> None:
    assert proposals([seen(0.6, "Person") for _ in range(9)]) == []
    assert proposals([replace(seen(0.6), review=Review()) for _ in range(20)]) == []
    assert proposals([seen(0, "Cat") for _ in range(20)]) == [], "it was never seen"


def test_each_camera_detector_and_label_is_for_itself() -> None:
    other = replace(EVENT.snapshot, camera="Door Camera")
    events = [seen(0.6 + number / 100, "Person") for number in range(10)]
    events += [replace(one, snapshot=other, detector="onnx") for one in events] + [seen(0.7, label="Dog")] * 10
    assert [(one.camera, one.detector, one.label) for one in proposals(events)] == [
        ("Door Camera", "onnx", "Person"),
        ("Yard Camera", "hog", "Dog"),
        ("Yard Camera", "hog", "Person"),
    ]
