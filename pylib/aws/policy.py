"""What a part needs to be allowed, as a policy of AWS's IAM (its user guide, "IAM JSON policy elements")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
