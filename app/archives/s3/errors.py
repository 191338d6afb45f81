"""What S3 and boto3 say when something goes wrong, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from app.archives import ArchiveBlocked, ArchiveError, ArchiveRejected, ArchiveUnavailable

_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_CONFIG_FILE"
_NEEDED = "grant its user or role s3:PutObject, s3:GetObject and s3:ListBucket on it"

_BLOCKING: Mapping[str, tuple[str, str]] = {
    "NoSuchBucket": ("no_such_bucket", "There is no bucket {bucket!r}: make it, or correct S3_BUCKET."),
    "InvalidBucketName": ("no_such_bucket", "{bucket!r} is no name for a bucket: correct S3_BUCKET."),
    "AccessDenied": (
        "access_denied",
        "S3 does not let this login use the bucket {bucket!r}: " + _NEEDED + ".",
    ),
    "AllAccessDisabled": ("access_denied", "Nobody may use the bucket {bucket!r}: look at the AWS account."),
    "AccountProblem": ("access_denied", "Something is wrong with the AWS account: look at it."),
    "NotSignedUp": ("access_denied", "This AWS account is not signed up for S3."),
    "InvalidAccessKeyId": ("bad_credentials", f"S3 does not know this access key: {_KEYS}."),
    "SignatureDoesNotMatch": ("bad_credentials", f"S3 refuses the signature: {_KEYS}."),
    "AuthorizationHeaderMalformed": (
        "wrong_region",
        "The bucket {bucket!r} is in another region: set S3_REGION.",
    ),
    "InvalidToken": ("bad_credentials", f"S3 refuses the session token: {_KEYS}."),
    "ExpiredToken": (
        "expired_credentials",
        "The AWS session has expired: sign in again or use a lasting key.",
    ),
    "RequestTimeTooSkewed": ("clock_wrong", "This machine's clock is wrong: set it, switch on NTP."),
    "PermanentRedirect": ("wrong_region", "The bucket {bucket!r} is in another region: set S3_REGION."),
    "IllegalLocationConstraintException": (
        "wrong_region",
        "The bucket {bucket!r} is elsewhere: set S3_REGION.",
    ),
    "KMS.DisabledException": ("key_unusable", "The KMS key is disabled: enable it, or correct S3_KMS_KEY."),
    "KMS.NotFoundException": ("key_unusable", "There is no such KMS key: correct S3_KMS_KEY."),
    "InvalidStorageClass": ("bad_setting", "S3 does not know this storage class: correct S3_STORAGE_CLASS."),
    "QuotaExceeded": (
        "quota_full",
        "The quota of the bucket {bucket!r} is used up: free some space or raise it.",
    ),
    "XMinioAdminBucketQuotaExceeded": (
        "quota_full",
        "The quota of the bucket {bucket!r} is used up: raise it.",
    ),
    "XMinioStorageFull": ("disk_full", "The server's disk is full: free some space."),
}
"""Waits for a person -> our code, and a sentence that says what to do."""

_BUSY = {
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequests",
    "ServerBusy",
}
_DAMAGED = {
    "BadDigest",
    "InvalidDigest",
    "IncompleteBody",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
}
_BY_STATUS = {
    401: "InvalidAccessKeyId",
    403: "AccessDenied",
    301: "PermanentRedirect",
    307: "PermanentRedirect",
}
"""Answers to HEAD have no words."""


def refusal(response: Mapping[str, Any], bucket: str) -> ArchiveError:
    """What S3 answered, without its own words: they name accounts and keys."""
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    named = code if code in _BLOCKING else _BY_STATUS.get(status, "")
    if code == "PreconditionFailed" or status == 412:
        return ArchiveUnavailable("exists", "Something is there under this name.")
    if code == "NotImplemented" or status == 501:
        return ArchiveUnavailable("not_implemented", "The server does not know what it was asked for.")
    if code == "EntityTooLarge" or status == 413:
        return ArchiveRejected("too_large", "S3 takes no picture that large.")
    if code in _BUSY or status == 429:
        return ArchiveUnavailable("throttled", "S3 takes no more calls for the moment.")
    if code in _DAMAGED:
        return ArchiveUnavailable("damaged_on_the_way", "The picture arrived other than it was sent.")
    if named:
        ours, sentence = _BLOCKING[named]
        return ArchiveBlocked(ours, sentence.format(bucket=bucket))
    if status == 404:
        return ArchiveUnavailable("not_there", "There is no such object.")
    if status >= 500:
        return ArchiveUnavailable("unavailable", f"S3 has an internal error (HTTP {status}).")
    # Not for ever: what it is about, nobody knows, and a picture is not let go for that.
    return ArchiveUnavailable("refused", f"S3 refuses the call with {code or f'HTTP {status}'}.")


def failure(error: Exception, endpoint: str, *, late: bool = False) -> ArchiveError:
    """What went wrong before S3 had said anything. The order matters: some are subclasses of others.

    `late`: the time for it was over, whatever the error says.
    """
    from botocore import exceptions as boto

    if late or isinstance(error, boto.ConnectTimeoutError | boto.ReadTimeoutError):
        return ArchiveUnavailable("timeout", "S3 did not answer in time.")
    if isinstance(error, boto.SSLError):
        return ArchiveUnavailable("tls", "No trusted connection to S3: check certificates and clock.")
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError):
        return ArchiveUnavailable("unreachable", f"No connection to {urlsplit(endpoint).hostname}.")
    if isinstance(error, boto.NoRegionError | boto.InvalidRegionError):
        return ArchiveBlocked("wrong_region", "The AWS region is not set or none: set S3_REGION.")
    if isinstance(error, boto.ParamValidationError):
        return ArchiveBlocked("bad_setting", "boto3 refuses the settings: check S3_BUCKET and S3_ENCRYPTION.")
    return ArchiveBlocked("no_credentials", f"There is no AWS login ({type(error).__name__}): {_KEYS}.")
