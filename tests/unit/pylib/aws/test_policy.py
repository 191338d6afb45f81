"""Policies: as few statements as say the same."""

from __future__ import annotations

import itertools

from pylib.aws.policy import Statement, document, merged

BUCKET, OBJECTS = "arn:aws:s3:::home", "arn:aws:s3:::home/*"


def test_what_is_allowed_on_the_same_things_is_one_statement_in_whatever_order_it_comes() -> None:
    given = [
        Statement(("s3:PutObject",), (OBJECTS,)),
        Statement(("s3:ListBucket",), (BUCKET,)),
        Statement(("s3:GetObject", "s3:PutObject"), (OBJECTS,)),
        Statement(("s3:ListBucket",), ("arn:aws:s3:::other",)),
    ]
    expected = [
        Statement(("s3:GetObject", "s3:PutObject"), (OBJECTS,)),
        Statement(("s3:ListBucket",), (BUCKET, "arn:aws:s3:::other")),
    ]
    for order in itertools.permutations(given):
        assert merged(order) == expected


def test_a_condition_is_never_lost_nor_put_on_what_has_none() -> None:
    condition = {"StringLike": {"s3:prefix": "a/*"}}
    given = [Statement(("s3:ListBucket",), (BUCKET,), condition), Statement(("s3:GetObject",), (BUCKET,))]
    assert merged(given) == [given[1], given[0]]
    assert [element.get("Condition") for element in document(merged(given))["Statement"]] == [None, condition]


def test_a_document_is_what_aws_takes() -> None:
    assert document([Statement(("sns:Publish",), ("arn:aws:sns:eu-central-1:1:home",))]) == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["sns:Publish"], "Resource": ["arn:aws:sns:eu-central-1:1:home"]}],
    }
