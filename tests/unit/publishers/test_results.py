"""The row of an event: what it holds, what it takes from odd events, and that the page describes it as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.messages import Detection, Inspection, Label, Review
from app.publishers import PublisherContext
from app.publishers.dynamodb import item, update
from app.publishers.postgres import definition, values
from app.publishers.results import COLUMNS, LABEL_BYTES, TEXT_BYTES, row_of
from tests.fakes.messages import an_event
from tests.unit.docs.pages import text

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
CONTEXT = PublisherContext(
    storage_url=lambda: "https://drive.example/folder",
    picture_url=lambda event_id: f"https://home.example/{event_id[-1]}.jpg",
    event_url=lambda event_id: f"https://home.example/{event_id[-1]}",
)


def of(event: Inspection, *, snapshot: dict[str, object] | None = None, **changes: object) -> Inspection:
    return replace(event, snapshot=replace(event.snapshot, **(snapshot or {})), **changes)  # type: ignore[arg-type]


def test_a_row_has_what_is_known_of_an_event() -> None:
    paris = timezone(timedelta(hours=1))
    taken = datetime(2026, 3, 4, 22, 10, 0, 123456, tzinfo=paris)
    event = of(
        an_event(7, seen=[("Person", 2), ("Dog", 1)]),
        snapshot={"path": "/cache/7.jpg", "bucket": "in", "object_key": "a b/ü.jpg", "taken_at": taken},
    )
    row = row_of(event, CONTEXT, keep_days=2, now=lambda: NOW)
    assert list(row) == [column.name for column in COLUMNS]
    assert row == {
        "id": event.id,
        "schema": 1,
        "camera": "Front Door Camera",
        "label": "Front Door",
        "time": datetime(2026, 3, 4, 21, 10, 0, 123456, tzinfo=UTC),
        "time_s": 1772658600.123456,
        "triggered_at": datetime(2026, 3, 4, 21, 10, tzinfo=UTC),
        "delay_s": 0.4,
        "origin": "http",
        "decision": "person",
        "persons": 2,
        "labels": [{"name": "Person", "confidence": 0.97}, {"name": "Dog", "confidence": 0.97}],
        "labels_left_out": None,
        "detector": "hog",
        "problem": None,
        "bucket": "in",
        "object_key": "a b/ü.jpg",
        "storage_url": "https://drive.example/folder",
        "storage_path": "/cache/7.jpg",
        "picture_url": "https://home.example/7.jpg",
        "event_url": "https://home.example/7",
        "review": "open",
        "review_labels": None,
        "description": None,
        "written_at": NOW,
        "expires": NOW + timedelta(days=2),
    }


def test_without_a_picture_there_is_no_link_to_it_and_without_a_limit_no_end() -> None:
    row = row_of(an_event(problem="timeout: The camera did not answer."), CONTEXT, now=lambda: NOW)
    assert (row["picture_url"], row["storage_path"], row["expires"]) == (None, None, None)
    assert row["problem"] == "timeout: The camera did not answer."


@pytest.mark.parametrize(
    ("named", "state", "kept"),
    [
        (None, "open", None),
        (("dog", "PERSON"), "confirmed", ["dog", "PERSON"]),
        (("Cat",), "corrected", ["Cat"]),
        ((), "corrected", []),
    ],
)
def test_what_a_person_named_confirms_or_corrects(
    named: tuple[str, ...] | None, state: str, kept: list[str] | None
) -> None:
    event = of(an_event(seen=[("Person", 1), ("Dog", 1)]), review=Review(named))
    row = row_of(event, CONTEXT)
    assert (row["review"], row["review_labels"]) == (state, kept)
    assert [label["name"] for label in row["labels"]] == ["Person", "Dog"]  # the detector's stay


def test_a_description_comes_with_what_else_changes() -> None:
    event = of(an_event(), review=Review(description="A cat."))
    assert row_of(event, CONTEXT)["description"] == "A cat."
    change = update(row_of(event, CONTEXT))
    assert change["ExpressionAttributeValues"][":description"] == {"S": "A cat."}
    assert "#review_labels" in change["UpdateExpression"].partition("REMOVE")[2]


def test_odd_text_and_numbers_become_what_every_database_takes() -> None:
    event = of(
        an_event(),
        snapshot={
            "camera": "",
            "label": "a\0b\ud800'; DROP TABLE x; --",
            "object_key": "ü" * 1500,
            "delay_s": float("nan"),
        },
        detection=Detection((Label("Hund\0", float("inf")),)),
    )
    row = row_of(event, CONTEXT)
    assert row["camera"] == "?"  # an index takes no empty key
    assert row["label"] == "a\ufffdb?'; DROP TABLE x; --"
    assert row["object_key"].endswith("ü…")
    assert TEXT_BYTES - 1 <= len(row["object_key"].encode()) <= TEXT_BYTES
    assert row["delay_s"] is None
    assert row["labels"] == [{"name": "Hund\ufffd", "confidence": None}]


def test_labels_without_room_are_counted() -> None:
    labels = tuple(Label(f"{number} {'é' * 1000}", 0.5) for number in range(500))
    row = row_of(of(an_event(), detection=Detection(labels)), CONTEXT)
    assert len(row["labels"]) + row["labels_left_out"] == 500
    assert len(json.dumps(row["labels"], ensure_ascii=False).encode()) == pytest.approx(LABEL_BYTES, rel=0.02)
    assert len(json.dumps(item(row), ensure_ascii=False).encode()) < 400_000  # what DynamoDB takes


def test_in_dynamodb_numbers_are_numbers_and_what_is_not_known_is_left_out() -> None:
    event = of(an_event(), review=Review(()))
    found = item(row_of(event, PublisherContext(), keep_days=1, now=lambda: NOW))
    assert found["time"] == {"S": "2026-03-04T21:10:00.000000+00:00"}
    assert (found["time_s"], found["persons"], found["delay_s"]) == ({"N": "1772658600.0"}, {"N": "1"}, {"N": "0.4"})
    assert found["labels"] == {"L": [{"M": {"name": {"S": "Person"}, "confidence": {"N": "0.97"}}}]}
    assert found["expires"] == {"N": str(int((NOW + timedelta(days=1)).timestamp()))}
    assert found["review_labels"] == {"L": []}
    assert not {"problem", "bucket", "picture_url", "labels_left_out"} & set(found)
    types = {column.name: column.dynamodb for column in COLUMNS}
    assert all(list(value) == [types[name]] for name, value in found.items())


def test_in_postgresql_every_column_gets_a_value_in_its_place() -> None:
    given = dict(zip([column.name for column in COLUMNS], values(row_of(an_event(), CONTEXT)), strict=True))
    assert given["labels"] == '[{"name": "Person", "confidence": 0.97}]'
    assert given["time_s"] == 1772658600.0


def test_the_page_has_every_column_and_the_statement_that_makes_the_table() -> None:
    page = text("docs/tables.md")
    rows = [
        f"| `{column.name}` | {column.dynamodb} | {column.postgres.partition(' NOT')[0]} | {column.meaning} |"
        for column in COLUMNS
    ]
    assert "\n".join(rows) in page
    assert definition("snapshots").replace('"snapshots"', "snapshots") in page
