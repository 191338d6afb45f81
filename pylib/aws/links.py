"""Links that open an object of a bucket for a while, without a login."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

LONGEST_S = 604_800
"""Seconds for which a link can open something: a week (S3 API, "Authenticating requests: using query parameters")."""
_EVERYWHERE = "aws-global"
"""What boto3 calls the region of buckets' global names."""


def lead_home(client: Any) -> None:
    """Have links and forms of boto3's client for S3 lead to the region of the bucket, and be signed for it.

    boto3 alone takes the bucket's global name, which leads elsewhere while a bucket is new and breaks the signature;
    and once S3 has sent a call to another region than the client's, it still signs for the client's own.
    """
    region = client.meta.region_name
    home = "us-east-1" if region in (None, _EVERYWHERE) else region

    def resolve(builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if context.get("is_presign_request"):
            if builtins["AWS::Region"] == _EVERYWHERE:
                builtins["AWS::Region"] = home
            builtins["AWS::S3::UseGlobalEndpoint"] = False
            context.setdefault("signing", {})["region"] = builtins["AWS::Region"]

    client.meta.events.register_last("before-endpoint-resolution.s3", resolve)


def presigned(client: Any, bucket: str, key: str, *, seconds: float) -> tuple[str, datetime]:
    """The link, and when it ends (UTC): after so many seconds, a week, or with the login that signed it.

    A login that is renewed by itself (a role's) says when it ends. A session token from the environment does not: its
    links may end before they say. `client`: boto3's, for S3. Raises BotoCoreError without a login.
    """
    now = datetime.now(UTC)
    until = min(now + timedelta(seconds=min(seconds, LONGEST_S)), _end_of_login(client))
    lasting = max(1, int((until - now).total_seconds()))
    url: str = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=lasting)
    return url, now + timedelta(seconds=lasting)


def _end_of_login(client: Any) -> datetime:
    """When what would sign a link now becomes invalid; renewed before, where it is about to."""
    credentials = client._request_signer._credentials
    if credentials is not None:
        credentials.get_frozen_credentials()
    end: datetime | None = getattr(credentials, "_expiry_time", None)
    return end or datetime.max.replace(tzinfo=UTC)
