"""Each outcome is counted in the metrics, by its code, and known to who asks how it does."""

from __future__ import annotations

import pytest

from app.journal import Journal
from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.outcomes import Outcomes, Subject
from app.monitoring.tally import UPLOADS, Tally
from tests.unit.pylib.observability.test_metrics import sample

REFUSED = "refused: it answered 401"


@pytest.mark.parametrize(
    ("subject", "name", "hear", "counted", "labels"),
    [
        ("trigger", "http", "trigger", "triggers_total", {"origin": "http"}),
        ("camera", "Yard", "snapshot", "snapshots_total", {"camera": "Yard"}),
        ("detector", "hog", "detection", "detector_calls_total", {"detector": "hog"}),
        ("publisher", "phone", "publication", "deliveries_total", {"target": "phone"}),
        ("archive", "nas", "archiving", "deliveries_total", {"target": "nas"}),
    ],
)
def test_an_outcome_is_counted_and_remembered(
    journal: Journal, subject: Subject, name: str, hear: str, counted: str, labels: dict[str, str]
) -> None:
    metrics, outcomes = SnapshotMetrics(version="1"), Outcomes(journal)
    outcomes.expect(subject, name, title=name)
    getattr(Tally(metrics, outcomes), hear)(name, REFUSED)
    assert sample(metrics, counted, outcome="refused", **labels) == 1
    found = outcomes.of(subject, name)
    assert found is not None
    assert (found.failures, found.reason) == (1, "it answered 401")


def test_a_broken_upload_is_its_camera_s_only_where_that_sends_and_does_nothing_else(journal: Journal) -> None:
    metrics, outcomes = SnapshotMetrics(version="1"), Outcomes(journal)
    outcomes.expect("upload", UPLOADS, title="Uploads")
    for camera in ("Yard", "Gate"):
        outcomes.expect("camera", camera, title=camera)
    tally = Tally(metrics, outcomes, push_only=["Gate"])
    for camera in ("Yard", "Gate", ""):
        tally.upload(camera, REFUSED)
    assert sample(metrics, "snapshots_total", camera="unknown", outcome="refused") == 1
    assert [one.failures for one in outcomes.all()] == [3, 0, 1]
    tally.upload("Yard", "ok")
    assert [one.state for one in outcomes.all("camera")] == ["working", "failing"]
