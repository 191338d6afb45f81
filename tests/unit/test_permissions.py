"""What each part that calls AWS has to be allowed: exactly the calls that it makes, on exactly what they are about."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.archives.s3 import S3
from app.archives.s3.settings import S3Settings
from app.detectors.rekognition import Rekognition, RekognitionSettings
from app.publishers.sns import Sns, SnsSettings
from app.publishers.thumbnails import Thumbnails
from app.publishers.thumbnails.settings import ThumbnailsSettings
from pylib.aws.policy import Statement

TOPIC = "arn:aws:sns:eu-central-1:123456789012:home"
DEVICE = "arn:aws:sns:eu-central-1:123456789012:endpoint/APNS/home/1"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
BOTH = ("s3:GetObject", "s3:PutObject")
SEALED = ("kms:Decrypt", "kms:GenerateDataKey")


@pytest.mark.parametrize(
    ("statements", "wanted"),
    [
        (
            Sns.permissions(SnsSettings(topic_arn=TOPIC)),
            [("sns:GetTopicAttributes", TOPIC), ("sns:Publish", TOPIC)],
        ),
        (Sns.permissions(SnsSettings(target_arn=DEVICE)), [("sns:Publish", DEVICE)]),
        (Sns.permissions(SnsSettings(phone_number="+4915112345678")), [("sns:Publish", "*")]),
        (Rekognition.permissions(RekognitionSettings()), [("rekognition:DetectLabels", "*")]),
        (
            Thumbnails.permissions(ThumbnailsSettings(bucket="small", prefix="a/")),
            [*((one, "arn:aws:s3:::small/a/*") for one in BOTH), ("s3:ListBucket", "arn:aws:s3:::small")],
        ),
        (
            Thumbnails.permissions(ThumbnailsSettings()),
            [*((one, "arn:aws:s3:::*/thumbnails/*") for one in BOTH), ("s3:ListBucket", "arn:aws:s3:::*")],
        ),
        (
            Thumbnails.permissions(ThumbnailsSettings(bucket="small", prefix="", region="cn-north-1")),
            [*((one, "arn:aws-cn:s3:::small/*") for one in BOTH), ("s3:ListBucket", "arn:aws-cn:s3:::small")],
        ),
        (
            S3.permissions(S3Settings(bucket="home", prefix="/cameras/")),
            [*((one, "arn:aws:s3:::home/cameras/*") for one in BOTH), ("s3:ListBucket", "arn:aws:s3:::home")],
        ),
        (
            S3.permissions(S3Settings(bucket="home", kms_key=KEY))[2:],
            [(one, KEY) for one in SEALED],
        ),
        (
            S3.permissions(S3Settings(bucket="home", kms_key="alias/home", region="us-gov-west-1"))[2:],
            [(one, "arn:aws-us-gov:kms:us-gov-west-1:*:key/*") for one in SEALED],
        ),
        (
            S3.permissions(S3Settings(bucket="home", kms_key="1234"))[2:],
            [(one, "arn:aws:kms:*:*:key/1234") for one in SEALED],
        ),
    ],
)
def test_each_is_allowed_what_it_calls_and_no_more(
    statements: Sequence[Statement], wanted: list[tuple[str, str]]
) -> None:
    found = [(action, resource) for one in statements for action in one.actions for resource in one.resources]
    assert found == wanted


def test_a_key_that_goes_by_an_alias_is_meant_by_that_alone() -> None:
    *_, sealed = S3.permissions(S3Settings(bucket="home", kms_key="alias/home"))
    assert sealed.conditions == {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/home"}}
