"""Events in a table of DynamoDB, against moto's server; and what AWS's own refusals mean."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Key
from moto.server import ThreadedMotoServer

from app.messages import Detection, Label, Review
from app.publishers import PublisherContext, PublishError, PublishUnavailable
from app.publishers.dynamodb import CODES, INDEX, DynamoDB, DynamoDBSettings
from tests.fakes.http_double import Reply, http_double
from tests.fakes.messages import an_event
from tests.unit.docs.pages import blocks

REGION = "eu-central-1"
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)

Make = Callable[..., DynamoDB]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "whatever",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(variable, value)
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def make(moto: str, name: str) -> Make:
    def made(*, now: datetime = NOW, **settings: Any) -> DynamoDB:
        values = {"table": name, "region": REGION, "endpoint_url": moto, "make_table": True, **settings}
        return DynamoDB(DynamoDBSettings.model_validate(values), PublisherContext("table"), now=lambda: now)

    return made


@pytest.fixture(scope="module")
def database(moto: str) -> Any:
    keys: dict[str, Any] = {"aws_access_key_id": "someone", "aws_secret_access_key": "whatever"}
    return boto3.resource("dynamodb", endpoint_url=moto, region_name=REGION, **keys)


def test_the_table_is_made_and_found_by_camera_and_time(make: Make, database: Any, name: str) -> None:
    outlet = make(keep_days=2)
    assert outlet.check() == f"table {name}, which will be made"
    hostile = 'Küche"; DROP'
    for number, place in enumerate(("Yard", hostile, "Yard")):
        outlet.publish(an_event(number, place=place, minutes=-number))
    assert outlet.check() == make().check() == f"table {name}"
    table = database.Table(name)
    assert table.billing_mode_summary["BillingMode"] == "PAY_PER_REQUEST"
    expiry = table.meta.client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    found = table.query(IndexName=INDEX, KeyConditionExpression=Key("camera").eq("Yard Camera"))["Items"]
    assert [one["id"] for one in found] == [an_event(2).id, an_event(0).id]
    assert found[0]["labels"][0]["confidence"] * 100 == 97
    assert found[0]["expires"] - found[0]["time_s"] > 2 * 86_400
    (other,) = table.query(IndexName=INDEX, KeyConditionExpression=Key("camera").eq(f"{hostile} Camera"))["Items"]
    assert other["label"] == hostile


def test_an_event_is_written_once_and_only_what_is_seen_and_said_changes(make: Make, database: Any, name: str) -> None:
    event = an_event(1)
    make().publish(event)
    first = database.Table(name).get_item(Key={"id": event.id})["Item"]
    later = make(now=datetime(2027, 1, 1, tzinfo=UTC))
    later.publish(event)
    assert database.Table(name).get_item(Key={"id": event.id})["Item"] == first
    for labels, state in ((("Cat",), "corrected"), (("person",), "confirmed"), (None, "open")):
        later.publish(replace(event, detector="other", review=Review(labels)))
        found = database.Table(name).get_item(Key={"id": event.id})["Item"]
        said = {} if labels is None else {"review_labels": list(labels)}
        kept = {key: first[key] for key in first if key != "review_labels"}
        assert found == {**kept, "detector": "other", "review": state, **said}
    for _ in range(2):
        later.publish(replace(event, review=Review(deleted=True)))
    assert "Item" not in database.Table(name).get_item(Key={"id": event.id})


def test_what_the_page_asks_is_answered(make: Make, database: Any, name: str) -> None:
    make().publish(an_event(1))
    (page,) = [block.text for block in blocks("sh") if block.page == "docs/tables.md" and "aws dynamodb" in block.text]
    lines = [line for line in page.replace("\\\n", "").splitlines() if line.startswith("aws")]
    answers = [asked(database.meta.client, shlex.split(line), table=name) for line in lines]
    assert [answer.get("Count", 0) for answer in answers] == [1, 1, 0]
    assert answers[2]["Item"]["label"] == "Front Door"


def asked(client: Any, words: list[str], *, table: str) -> Any:
    """A command of AWS's own program, as boto3 has it; of this table instead of its own."""
    operation, *options = words[2:]
    given: dict[str, Any] = {}
    for option in options:
        if option.startswith("--no-"):
            given["".join(part.title() for part in option[5:].split("-"))] = False
        elif option.startswith("--"):
            last = "".join(part.title() for part in option[2:].split("-"))
        else:
            given[last] = _plain(json.loads(option)) if option.startswith("{") else option
    return getattr(client, operation.replace("-", "_"))(**{**given, "TableName": table})


def _plain(typed: dict[str, dict[str, str]]) -> dict[str, Any]:
    return {name: Decimal(one["N"]) if "N" in one else one["S"] for name, one in typed.items()}


def test_an_event_with_thousands_of_labels_has_room(make: Make, database: Any, name: str) -> None:
    labels = tuple(Label(f"{number} {'é' * 900}", 0.123456) for number in range(1000))
    make().publish(replace(an_event(), detection=Detection(labels, 0)))
    found = database.Table(name).get_item(Key={"id": an_event().id})["Item"]
    assert len(found["labels"]) + found["labels_left_out"] == 1000


def test_a_table_that_is_not_there_is_said_and_waited_for(make: Make, database: Any, name: str) -> None:
    waiting = make(make_table=False)
    for attempt in (lambda: waiting.publish(an_event()), waiting.check):
        with pytest.raises(PublishUnavailable, match=f"no table {name} in this region") as failed:
            attempt()
        assert failed.value.code == "table_missing"
    make().publish(an_event(2))
    waiting.publish(an_event(1))  # somebody made it meanwhile
    assert database.Table(name).scan(Select="COUNT")["Count"] == 2


def test_a_table_that_is_deleted_is_made_again(make: Make, database: Any, name: str) -> None:
    outlet = make()
    outlet.publish(an_event(1))
    database.Table(name).delete()
    with pytest.raises(PublishUnavailable):
        outlet.publish(an_event(2))
    outlet.publish(an_event(2))
    assert database.Table(name).scan(Select="COUNT")["Count"] == 1


@pytest.mark.parametrize(
    ("key", "kind"), [([("pk", "HASH")], "S"), ([("id", "HASH"), ("at", "RANGE")], "S"), ([("id", "HASH")], "N")]
)
def test_a_table_with_another_key_is_not_ours(
    make: Make, database: Any, name: str, key: list[tuple[str, str]], kind: str
) -> None:
    database.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": part, "KeyType": role} for part, role in key],
        AttributeDefinitions=[{"AttributeName": part, "AttributeType": kind} for part, _ in key],
        BillingMode="PAY_PER_REQUEST",
    )
    event = an_event()
    attempts: list[Callable[[], object]] = [
        make().check,
        lambda: make().publish(event),
        lambda: make(make_table=False).publish(event),
    ]
    for attempt in attempts:
        with pytest.raises(PublishUnavailable, match=f"Table {name} has another key than `id`") as failed:
            attempt()
        assert failed.value.code == "table_unfit"


def test_a_check_says_that_old_items_would_stay(make: Make, name: str) -> None:
    make().publish(an_event())
    assert "not switched on" in make(make_table=False, keep_days=3).check()
    make(keep_days=3).publish(an_event())
    assert make(make_table=False, keep_days=3).check() == f"table {name}"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", 400, "throttled"),
        ("com.amazon.coral.availability#ThrottlingException", 400, "throttled"),
        ("com.amazonaws.dynamodb.v20120810#RequestLimitExceeded", 400, "throttled"),
        ("com.amazonaws.dynamodb.v20120810#InternalServerError", 500, "aws_busy"),
        ("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", 400, "table_missing"),
        ("com.amazonaws.dynamodb.v20120810#ResourceInUseException", 400, "table_not_ready"),
        ("com.amazon.coral.validate#ValidationException", 400, "table_unfit"),
        ("com.amazon.coral.service#AccessDeniedException", 400, "access_denied"),
        ("com.amazon.coral.service#UnrecognizedClientException", 400, "bad_credentials"),
        ("com.amazon.coral.service#ExpiredTokenException", 400, "expired_credentials"),
        ("com.amazonaws.dynamodb.v20120810#SomethingNew", 400, "call_refused"),
    ],
)
def test_whatever_dynamodb_refuses_the_event_waits(make: Make, error: str, status: int, code: str) -> None:
    with http_double() as double:
        body = json.dumps({"__type": error, "message": "arn:aws:iam::123456789012:user/someone"}).encode()
        double.answer = lambda _: Reply(status, {"Content-Type": "application/x-amz-json-1.0"}, [body])
        with pytest.raises(PublishUnavailable) as failed:
            (outlet := make(endpoint_url=double.url, make_table=False)).publish(an_event())
    assert failed.value.code == code
    assert (code in outlet.abandon_after) is (not failed.value.outage) is (code == "call_refused")
    assert code in CODES
    assert "123456789012" not in str(failed.value)


def test_a_server_that_is_silent_away_or_another_one_is_waited_for(make: Make) -> None:
    with http_double() as double:
        double.hold.clear()
        with pytest.raises(PublishUnavailable) as silent:
            make(endpoint_url=double.url, timeout=1).publish(an_event())
        double.hold.set()
    with pytest.raises(PublishUnavailable) as away:
        make(endpoint_url="http://127.0.0.1:9").publish(an_event())
    assert (silent.value.code, away.value.code) == ("timeout", "unreachable")


def test_settings_that_make_no_sense_are_found_before_anything_is_sent(make: Make) -> None:
    with pytest.raises(PublishError, match="set `region`"):
        make(region="", endpoint_url="")
    with pytest.raises(PublishError, match="endpoint_url"):
        make(endpoint_url="somewhere")


def test_it_asks_for_no_more_than_it_needs() -> None:
    settings = DynamoDBSettings(table="events", region=REGION)
    (needed,) = DynamoDB.permissions(settings)
    assert needed.resources == (f"arn:aws:dynamodb:{REGION}:*:table/events",)
    assert needed.actions == tuple(
        f"dynamodb:{one}" for one in ("DeleteItem", "DescribeTable", "DescribeTimeToLive", "PutItem", "UpdateItem")
    )
    (more,) = DynamoDB.permissions(DynamoDBSettings(table="events", make_table=True))
    assert set(more.actions) - set(needed.actions) == {"dynamodb:CreateTable", "dynamodb:UpdateTimeToLive"}
    assert more.resources == ("arn:aws:dynamodb:*:*:table/events",)
    (china,) = DynamoDB.permissions(DynamoDBSettings(table="events", region="cn-north-1"))
    assert china.resources == ("arn:aws-cn:dynamodb:cn-north-1:*:table/events",)
