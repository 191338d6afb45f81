"""The name of a bucket, as a field of settings (S3 user guide, "General purpose bucket naming rules")."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")


def _checked(value: str) -> str:
    name = value.strip()
    if name and not _BUCKET.fullmatch(name):
        raise ValueError("must be the name of a bucket, without s3:// and folders")
    return name


BucketName = Annotated[str, AfterValidator(_checked)]
"""May be empty; older names than today's and those of other servers are taken, too."""
