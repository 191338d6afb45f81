"""boto3's client for S3, whose calls keep to a deadline (`pylib.net.deadline`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.config import Config

from pylib import aws

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from app.archives.s3.settings import S3Settings


def make_client(settings: S3Settings) -> S3Client:
    """Build it; sends nothing. Raises ValueError for an endpoint that is no address, and BotoCoreError."""
    config = Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.concurrency,
        # The second try is for a connection that the server had closed; further retries are the journal's.
        retries={"mode": "standard", "total_max_attempts": 2},
        tcp_keepalive=True,
        signature_version="s3v4",  # of links too: botocore's default for them opens nothing under KMS
        s3={"addressing_style": "path" if settings.path_style else "auto"},
        # botocore's own CRC32 is a trailer that other servers do not support; ours are in the headers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent="snapshot-processor",
    )
    client: S3Client = aws.timed_client("s3", region=settings.region, endpoint_url=settings.endpoint_url, config=config)
    return client
