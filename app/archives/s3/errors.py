"""Errors of S3 and boto3, as our failure codes and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from app.archives import ArchiveBlocked, ArchiveError, ArchiveRejected, ArchiveUnavailable
from pylib import aws

_NEEDED = "grant its user or role s3:PutObject, s3:GetObject and s3:ListBucket on it"

_BLOCKING: Mapping[str, tuple[str, str]] = {
    **aws.LOGIN_REFUSALS,
    "NoSuchBucket": ("no_such_bucket", "There is no bucket {bucket!r}: make it, or correct S3_BUCKET."),
    "InvalidBucketName": ("no_such_bucket", "{bucket!r} is no name for a bucket: correct S3_BUCKET."),
    "AccessDenied": (
        "access_denied",
        "S3 does not let this login use the bucket {bucket!r}: " + _NEEDED + ".",
    ),
    "AllAccessDisabled": ("access_denied", "Nobody may use the bucket {bucket!r}: look at the AWS account."),
    "AccountProblem": ("access_denied", "Something is wrong with the AWS account: look at it."),
    "NotSignedUp": ("access_denied", "This AWS account is not signed up for S3."),
    "AuthorizationHeaderMalformed": (
        "wrong_region",
        "The bucket {bucket!r} is in another region: set S3_REGION.",
    ),
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
"""Errors that wait for a person -> our code, and a sentence with the remedy."""

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
"""Status codes of HEAD requests, whose answers have no error code."""

CODES = {
    "no_such_bucket": ("There is no such bucket.", "make it, or correct S3_BUCKET"),
    "wrong_region": ("The bucket is in another region, or none is set.", "set S3_REGION"),
    "bad_setting": ("S3 refuses a setting.", "correct the setting that the message names"),
    "key_unusable": ("The KMS key is disabled, or there is none.", "enable it, or correct S3_KMS_KEY"),
    "invalid_endpoint": ("S3's address is none.", "correct S3_ENDPOINT_URL: it has to start with https://"),
    "no_credentials": (
        "There is no AWS login.",
        "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_CONFIG_FILE",
    ),
    "bad_credentials": (
        "S3 does not accept this AWS login.",
        "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_CONFIG_FILE",
    ),
    "expired_credentials": ("The AWS session has expired.", "sign in again, or use a lasting key"),
    "clock_wrong": ("This machine's clock is wrong.", "set it, switch on NTP"),
    "tls": ("No trusted connection to S3 came about.", "look at clock and certificates of this machine"),
    "bad_answer": ("Something answered that is not S3.", "look at S3_ENDPOINT_URL and proxies"),
    "unavailable": ("S3 has a failure of its own.", "nothing, if it passes: the service tries again"),
    "damaged_on_the_way": (
        "The picture was damaged on the way.",
        "nothing, if it passes: the service tries again",
    ),
    "exists": ("Something else is there under this name.", "nothing, if it passes: the service tries again"),
    "not_there": ("S3 does not have what was asked for.", "nothing, if it passes: the service tries again"),
    "not_implemented": ("The server does not know what it was asked for.", "use a server that speaks S3"),
    "refused": ("S3 refuses the call.", "look at the reason; the service tries again"),
}
"""Code -> what happened, and what to do about it."""


def refusal(response: Mapping[str, Any], bucket: str) -> ArchiveError:
    """The failure behind S3's answer, without its own text, which names accounts and keys."""
    code, status = aws.refusal(response)
    named = code if code in _BLOCKING else _BY_STATUS.get(status, "")
    if code == "PreconditionFailed" or status == 412:
        return ArchiveUnavailable("exists", "Something is there under this name.")
    if code == "NotImplemented" or status == 501:
        return ArchiveUnavailable("not_implemented", "The server does not know what it was asked for.")
    if code == "EntityTooLarge" or status == 413:
        return ArchiveRejected("too_large", "S3 takes no picture that large.")
    if code in aws.THROTTLES or status == 429:
        return ArchiveUnavailable("throttled", "S3 takes no more calls for the moment.")
    if code in _DAMAGED:
        return ArchiveUnavailable("damaged_on_the_way", "The picture arrived other than it was sent.")
    if named:
        ours, sentence = _BLOCKING[named]
        return ArchiveBlocked(ours, sentence.format(bucket=bucket, service="S3"))
    if status == 404:
        return ArchiveUnavailable("not_there", "There is no such object.")
    if status >= 500:
        return ArchiveUnavailable("unavailable", f"S3 has an internal error (HTTP {status}).")
    # Not permanent: the cause is unknown, and no reason to give a picture up.
    return ArchiveUnavailable("refused", f"S3 refuses the call with {code or f'HTTP {status}'}.")


def failure(error: Exception, endpoint: str, *, late: bool = False) -> ArchiveError:
    """The failure before S3 answered anything.

    `late`: the time for it was over, whatever the error is.
    """
    trouble = "timeout" if late else aws.trouble(error)
    if trouble == "timeout":
        return ArchiveUnavailable("timeout", "S3 did not answer in time.")
    if trouble == "tls":
        return ArchiveUnavailable("tls", "No trusted connection to S3: check certificates and clock.")
    if trouble == "unreachable":
        return ArchiveUnavailable("unreachable", f"No connection to {urlsplit(endpoint).hostname}.")
    if trouble == "region":
        return ArchiveBlocked("wrong_region", "The AWS region is not set or none: set S3_REGION.")
    if trouble == "parameters":
        return ArchiveBlocked("bad_setting", "boto3 refuses the settings: check S3_BUCKET and S3_ENCRYPTION.")
    return ArchiveBlocked("no_credentials", f"There is no AWS login ({type(error).__name__}): {aws.KEYS}.")
