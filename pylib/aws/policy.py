"""What a part needs to be allowed, as a policy of AWS's IAM (its user guide, "IAM JSON policy elements")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

VERSION = "2012-10-17"
"""Of the policy language."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Some actions on some resources."""

    actions: tuple[str, ...]
    """`s3:PutObject`."""
    resources: tuple[str, ...]
    """ARNs, with `*` in them where that is needed."""
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@runtime_checkable
class CallsAws(Protocol):
    """The class of a part that calls AWS."""

    @staticmethod
    def permissions(settings: Any) -> Iterable[Statement]:
        """The least that a part of these settings needs."""
        ...


def merged(statements: Iterable[Statement]) -> list[Statement]:
    """The same permissions in as few statements as may be, in an order that does not depend on theirs."""
    actions: dict[tuple[Any, str], set[str]] = {}
    for statement in statements:
        conditions = json.dumps(statement.conditions, sort_keys=True)
        actions.setdefault((frozenset(statement.resources), conditions), set()).update(statement.actions)
    resources: dict[tuple[tuple[str, ...], str], set[str]] = {}
    for (on, conditions), some in actions.items():
        resources.setdefault((tuple(sorted(some)), conditions), set()).update(on)
    return [
        Statement(some, tuple(sorted(on)), json.loads(conditions))
        for (some, conditions), on in sorted(resources.items(), key=lambda item: (item[0], sorted(item[1])))
    ]


def bucket_arn(bucket: str, objects: str = "", *, region: str = "") -> str:
    """The ARN of a bucket, or of objects in it (`home/*`); in the partition of this region."""
    return f"arn:{partition(region)}:s3:::{bucket}" + (f"/{objects}" if objects else "")


def use_of_key(key: str, *, region: str = "") -> Statement:
    """To write and read what a key of KMS seals. `key`: its ARN, its id, or its alias, which no ARN of a key names."""
    alias = key if key.startswith("alias/") else ""
    if not key.startswith("arn:"):
        key = f"arn:{partition(region)}:kms:{region or '*'}:*:key/{'*' if alias else key}"
    conditions = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}} if alias else {}
    return Statement(("kms:Decrypt", "kms:GenerateDataKey"), (key,), conditions)


def partition(region: str) -> str:
    """What the ARNs of a region begin with behind `arn:`."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """The policy document of these statements, as JSON has it."""
    return {"Version": VERSION, "Statement": [_element(statement) for statement in statements]}


def _element(statement: Statement) -> dict[str, Any]:
    element: dict[str, Any] = {
        "Effect": "Allow",
        "Action": list(statement.actions),
        "Resource": list(statement.resources),
    }
    return {**element, "Condition": dict(statement.conditions)} if statement.conditions else element
