"""The Grafana dashboard asks for metrics that there are, and can be imported."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

from app.monitoring.metrics import SnapshotMetrics
from pylib.runtime.circuit_breaker import State

DASHBOARD = json.loads((Path(__file__).parents[3] / "config" / "grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
QUERIES = [each["definition"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]

SELECTOR = re.compile(r"([a-z_]+)\{([^}]*)\}|label_values\(([a-z_]+), ")
GROUPING = re.compile(r"by \(([^)]*)\)")


def exposition() -> dict[str, set[str]]:
    """Every series' name with its labels' names, of a service that has seen everything once."""
    metrics = SnapshotMetrics(version="1")
    metrics.trigger("http", "accepted")
    metrics.snapshot("c", "ok")
    metrics.detection("hog", "ok")
    metrics.spent("hog", "c", 0.001)
    metrics.delivery("rabbitmq", "ok")
    metrics.oldest_undelivered("rabbitmq", 0.0)
    metrics.circuits(lambda: [("c", State.CLOSED)])
    metrics.queue("fetch", lambda: 0)
    metrics.restarted("fetch")
    metrics.request("/", method="GET", status=200, seconds=0.1)
    metrics.viewers(lambda: 0)
    metrics.event("c", 1.0)
    metrics.disk(Path(tempfile.gettempdir()))
    stage = metrics.stage("fetch")
    stage.started()
    stage.finished("ok", 0.1)
    return {
        sample.name: set(sample.labels) | {"instance"}  # which Prometheus adds
        for family in metrics.registry.collect()
        for sample in family.samples
    }


@pytest.mark.parametrize("text", [*EXPRESSIONS, *QUERIES])
def test_every_metric_and_label_that_is_asked_for_exists(text: str) -> None:
    there = exposition()
    asked = [(match[1] or match[3], match[2] or "") for match in SELECTOR.finditer(text)]
    assert asked, text
    for name, matchers in asked:
        assert name in there
        for label in re.findall(r"([a-z_]+)[=!]", matchers):
            assert label in there[name], f"{name} has no label {label}"
        for labels in GROUPING.findall(text):
            assert {label.strip() for label in labels.split(",")} <= there[name]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_every_legend_names_what_its_expression_keeps(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        kept = {label.strip() for labels in GROUPING.findall(target["expr"]) for label in labels.split(",")}
        named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert named <= (kept or {"instance"})


def test_everything_that_is_counted_is_shown() -> None:
    shown = {match[1] for text in EXPRESSIONS for match in SELECTOR.finditer(text)}
    ours = {re.sub(r"_(count|sum|bucket)$", "", name) for name in exposition() if not name.startswith("process_")}
    left_out = ours - {re.sub(r"_bucket$", "", name) for name in shown}
    assert left_out == {"build_info", "stage_messages_total"}


def test_it_can_be_imported_anywhere() -> None:
    """The shape that Grafana reads; the data source is the reader's choice."""
    assert (DASHBOARD["uid"], DASHBOARD.get("id")) == ("snapshot-processor", None)
    names = {each["name"]: each["type"] for each in DASHBOARD["templating"]["list"]}
    assert names == {"datasource": "datasource", "instance": "query", "camera": "query"}
    sources = [panel["datasource"] for panel in PANELS]
    sources += [target["datasource"] for panel in PANELS for target in panel["targets"]]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_panels_lie_beside_each_other_and_not_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_panel_has_a_unit() -> None:
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)
