"""Events as items of a table in DynamoDB."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from pydantic import Field

from app.messages import Inspection
from app.publishers import PublisherContext, PublishError, PublishUnavailable
from app.publishers.results import CHANGING, COLUMNS, REFUSED_S, Row, row_of
from pylib.aws.calls import CODES as AWS
from pylib.aws.calls import AwsClient, AwsFailure, AwsSettings
from pylib.aws.policy import Statement, partition
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

INDEX = "by_camera"
"""The index by camera and time."""

CODES = {
    **AWS,
    "table_missing": ("The table is not there.", "make it, or set `make_table`; correct `table` or `region`"),
    "table_unfit": ("The table has another key than ours.", "name another table, or one whose key is `id`, a string"),
    "table_not_ready": ("The table is being made or changed.", "nothing: the service tries again"),
}
"""Code -> what happened, and what to do about it."""

_NUMBERS = frozenset(column.name for column in COLUMNS if column.dynamodb == "N")


class DynamoDBSettings(AwsSettings):
    """A table in DynamoDB that has an item for each event; the login is boto3's own, as for `sns`."""

    table: str = Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$", description="The table's name.")
    make_table: bool = Field(
        default=False, description="Make the table when it is missing, with its index, billed by the request."
    )
    keep_days: float = Field(
        default=0, ge=0, le=36_500, description="Days after which a row may go; 0 to keep all. Of new rows."
    )


class DynamoDB:
    """One table. `publish` may be called from several threads."""

    title = "a table in DynamoDB"
    notifies = False
    follows_edits: Literal[True] = True
    concurrency = 4  # rows need no order, and each is a call across a network
    Settings = DynamoDBSettings

    def __init__(
        self,
        settings: DynamoDBSettings,
        context: PublisherContext,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Load boto3 and build the client; sends nothing. Raises `PublishError`."""
        self.name = context.name
        self.threads: Sequence[ManagedThread] = ()
        self.abandon_after: Mapping[str, float] = {"call_refused": REFUSED_S}
        self._settings = settings
        self._context = context
        self._now = now
        self._ready = not settings.make_table
        self._lock = threading.Lock()
        try:
            self._client = AwsClient("dynamodb", settings, title="DynamoDB")
        except AwsFailure as failure:
            raise PublishError(failure.code, failure.sentence) from None

    @staticmethod
    def permissions(settings: DynamoDBSettings) -> Sequence[Statement]:
        """What it needs to be allowed."""
        actions = ["DeleteItem", "DescribeTable", "DescribeTimeToLive", "PutItem", "UpdateItem"]
        if settings.make_table:
            actions += ["CreateTable", "UpdateTimeToLive"]
        table = f"arn:{partition(settings.region)}:dynamodb:{settings.region or '*'}:*:table/{settings.table}"
        return [Statement(tuple(f"dynamodb:{action}" for action in sorted(actions)), (table,))]

    def publish(self, inspection: Inspection) -> None:
        """Write the item, or what was seen or said since into the item that is there. Raises `PublishUnavailable`."""
        self._make_ready()
        key = {"id": {"S": inspection.id}}
        if inspection.review.deleted:
            self._ask("delete_item", Key=key)
            return
        row = row_of(inspection, self._context, keep_days=self._settings.keep_days, now=self._now)
        try:
            self._ask("put_item", Item=item(row), ConditionExpression="attribute_not_exists(id)")
        except _ConditionFailed:
            with suppress(_ConditionFailed):  # its time was over, this very moment
                self._ask("update_item", Key=key, **update(row))

    def check(self) -> str:
        """Whether items could be written. Raises `PublishError`."""
        where = f"table {self._settings.table}"
        try:
            described = self._described()
        except PublishUnavailable as failure:
            if failure.code == "table_missing" and self._settings.make_table:
                return f"{where}, which will be made"
            raise
        _verify(described, self._settings.table)
        if self._settings.keep_days and self._expiry() == "DISABLED":
            return f"{where}, which keeps everything: its time to live by `expires` is not switched on"
        return where

    def _make_ready(self) -> None:
        """Make the table with its time to live, as far as that is missing and allowed."""
        with self._lock:
            if not self._ready:
                try:
                    described = self._described()
                except PublishUnavailable as failure:
                    if failure.code != "table_missing":
                        raise
                    described = self._ask("create_table", **definition())["TableDescription"]
                    log.info("table made", target=self.name, table=self._settings.table)
                _verify(described, self._settings.table)
                if self._settings.keep_days and self._expiry() == "DISABLED":
                    expiry = {"AttributeName": "expires", "Enabled": True}
                    self._ask("update_time_to_live", TimeToLiveSpecification=expiry)
                self._ready = True

    def _described(self) -> Mapping[str, Any]:
        described: Mapping[str, Any] = self._ask("describe_table")["Table"]
        return described

    def _expiry(self) -> str:
        return str(self._ask("describe_time_to_live")["TimeToLiveDescription"]["TimeToLiveStatus"])

    def _ask(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        table = self._settings.table
        try:
            return self._client.ask(operation, TableName=table, **parameters)
        except AwsFailure as failure:
            if failure.aws_code == "ConditionalCheckFailedException":
                raise _ConditionFailed from None
            if failure.kind == "missing":
                self._ready = not self._settings.make_table
                sentence = f"DynamoDB has no table {table} in this region: make it, or set `make_table`."
                raise PublishUnavailable("table_missing", sentence) from None
            if failure.aws_code == "ValidationException":
                raise _unfit(table) from None
            if failure.aws_code == "ResourceInUseException":
                raise _not_ready(table) from None
            outage = failure.code != "call_refused"
            raise PublishUnavailable(failure.code, failure.sentence, outage=outage) from None


class _ConditionFailed(Exception):
    """The condition of a write does not hold."""


def _verify(described: Mapping[str, Any], table: str) -> None:
    """Raises `PublishUnavailable` for a table that is not ours, or not yet."""
    key = [(part["AttributeName"], part["KeyType"]) for part in described["KeySchema"]]
    types = {one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]}
    if key != [("id", "HASH")] or types["id"] != "S":
        raise _unfit(table)
    if described["TableStatus"] not in ("ACTIVE", "UPDATING"):
        raise _not_ready(table)


def _unfit(table: str) -> PublishUnavailable:
    sentence = f"Table {table} has another key than `id`, a string, or indexes of another kind: name another table."
    return PublishUnavailable("table_unfit", sentence)


def _not_ready(table: str) -> PublishUnavailable:
    return PublishUnavailable("table_not_ready", f"Table {table} is being made or changed.")


def definition() -> dict[str, Any]:
    """What `create_table` gets besides the name."""
    types = {"id": "S", "camera": "S", "time_s": "N"}
    key = [{"AttributeName": "camera", "KeyType": "HASH"}, {"AttributeName": "time_s", "KeyType": "RANGE"}]
    return {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {"IndexName": INDEX, "KeySchema": key, "Projection": {"ProjectionType": "ALL"}},
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }


def item(row: Row) -> dict[str, Any]:
    """A row as an item; what is not known is left out."""
    return {name: _typed(name, value) for name, value in row.items() if value is not None}


def update(row: Row) -> dict[str, Any]:
    """What `update_item` gets besides the key: an item that has gone meanwhile stays away."""
    known = {name: row[name] for name in CHANGING if row[name] is not None}
    gone = [f"#{name}" for name in CHANGING if name not in known]
    sets = ", ".join(f"#{name} = :{name}" for name in known)
    return {
        "UpdateExpression": f"SET {sets}" + (f" REMOVE {', '.join(gone)}" if gone else ""),
        "ConditionExpression": "attribute_exists(id)",
        "ExpressionAttributeNames": {f"#{name}": name for name in CHANGING},
        "ExpressionAttributeValues": {f":{name}": _typed(name, value) for name, value in known.items()},
    }


def _typed(name: str, value: Any) -> dict[str, Any]:
    """A value with its type, as the API has it; numbers as text, which keeps each of their digits."""
    match value:
        case datetime() if name in _NUMBERS:
            return {"N": str(int(value.timestamp()))}
        case datetime():
            return {"S": value.isoformat(timespec="microseconds")}
        case int() | float():
            return {"N": repr(value)}
        case Mapping():
            return {"M": {inner: _typed(inner, one) for inner, one in value.items() if one is not None}}
        case str():
            return {"S": value}
        case _:
            return {"L": [_typed(name, one) for one in value]}
