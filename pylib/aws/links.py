"""Links that open an object of a bucket for a while, without a login."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

LONGEST_S = 604_800
"""Seconds for which a link can open something: a week (S3 API, "Authenticating requests: using query parameters")."""


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
