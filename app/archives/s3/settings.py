"""The settings of the archive in S3."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class S3Settings(BaseModel):
    """Pictures in a bucket; the login is boto3's own (`AWS_ACCESS_KEY_ID`, `AWS_CONFIG_FILE`, a role ...)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    bucket: str = Field(default="", description="Bucket for the pictures; empty for no archive in S3.")
    prefix: str = Field(default="", max_length=500, description="Prefix of every key, before the date: `home/cameras`.")
    region: str = Field(default="", description="AWS region; AWS_DEFAULT_REGION or the profile's unless set.")
    endpoint_url: str = Field(
        default="",
        description="Address of a server other than Amazon's; AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL unless set.",
    )
    path_style: bool = Field(
        default=False,
        description="Put the bucket into the path instead of the host name, as most other servers want it.",
    )
    storage_class: str = Field(
        default="",
        pattern="^[A-Z_]*$",
        description="Storage class such as STANDARD_IA or GLACIER_IR; the bucket's default unless set.",
    )
    encryption: Literal["", "AES256", "aws:kms", "aws:kms:dsse"] = Field(
        default="", description="Encryption by the server, AES256 or aws:kms; the bucket's default unless set."
    )
    kms_key: str = Field(default="", description="Key for aws:kms; the account's default key unless set.")
    concurrency: int = Field(default=4, ge=1, le=64, description="Uploads at once.")
    connect_timeout: float = Field(default=5.0, gt=0, le=30, description="Seconds to connect, for each try.")
    read_timeout: float = Field(default=20.0, gt=0, le=60, description="Seconds of silence allowed, for each try.")
    timeout: float = Field(default=120.0, gt=0, le=240, description="Seconds that one picture may take in all.")
