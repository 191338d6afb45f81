"""Google Drive's errors, classified: try later, never, or only after a person has done something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.archives import ArchiveBlocked, ArchiveError, ArchiveRejected, ArchiveUnavailable

SIGN_IN = "run `snapshot-processor drive-login`"

_THROTTLES = {"rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded"}
"""With status 403 (Drive API guide, "Resolve errors"); status 429 means the same."""

_BLOCKS: Mapping[str, tuple[str, str]] = {
    "storageQuotaExceeded": (
        "quota_full",
        "Google's storage is full: free some, or buy more, and empty Drive's bin.",
    ),
    "numChildrenInNonRootLimitExceeded": (
        "folder_full",
        "The Drive folder holds as many entries as Drive allows: set GOOGLE_DRIVE_FOLDER to a new one.",
    ),
    "activeItemCreationLimitExceeded": (
        "account_full",
        "This Google account holds as many files as Drive allows: delete some, and empty Drive's bin.",
    ),
    "insufficientPermissions": ("no_permission", f"The token does not allow to write to Drive: {SIGN_IN}."),
    "insufficientFilePermissions": (
        "no_permission",
        "The Google account may not write to the Drive folder: share it with the account as editor.",
    ),
    "appNotAuthorizedToFile": (
        "no_permission",
        f"The token was given to another app than the one that made the Drive folder: {SIGN_IN}.",
    ),
    "accessNotConfigured": (
        "api_disabled",
        "The Drive API is switched off in the Google Cloud project of GOOGLE_CLIENT_SECRETS_FILE: enable it there.",
    ),
    "domainPolicy": ("no_permission", "The administrator of this Google domain has switched Drive apps off."),
}
"""Reasons that stay until a person does something -> our code, and a sentence with the remedy."""

CODES = {
    "no_token": ("Nobody has signed in to Google yet.", "run `snapshot-processor drive-login`"),
    "bad_token": ("The file of the Google token cannot be read.", "run `snapshot-processor drive-login`"),
    "sign_in_needed": (
        "Google has withdrawn the token.",
        "run `snapshot-processor drive-login`; publish the app if it is in «Testing»",
    ),
    "no_refresh": ("The Google token has ended and cannot be renewed.", "run `snapshot-processor drive-login`"),
    "token_unavailable": ("Google did not renew the token.", "nothing, if it passes: the service tries again"),
    "bad_client_secrets": (
        "GOOGLE_CLIENT_SECRETS_FILE is not the file of a client of type «Desktop app».",
        "download it again from the Google Cloud console",
    ),
    "api_disabled": ("The Drive API is off in the project.", "enable it in the Google Cloud console"),
    "no_permission": (
        "The Google account may not write to the Drive folder.",
        "grant it; the message names what",
    ),
    "forbidden": ("Drive refuses the call.", "run `snapshot-processor drive-login`"),
    "folder_full": ("Drive takes no more entries in this folder.", "set GOOGLE_DRIVE_FOLDER to a new one"),
    "account_full": ("Drive takes no more files in this account.", "delete some, and empty Drive's bin"),
    "daily_limit": ("Drive takes no more calls today.", "nothing, if it passes: the service tries again"),
    "server_error": ("Drive has a failure of its own.", "nothing, if it passes: the service tries again"),
    "disconnected": (
        "Google closed the connection without an answer.",
        "nothing, if it passes: the service tries again",
    ),
    "folder_trashed": ("The Drive folder is in the bin.", "nothing: a new one is made"),
    "wrong_content": (
        "Drive kept something else than was sent, which was taken back.",
        "nothing, if it passes: the service tries again",
    ),
    "not_found": ("Drive does not have what was asked for.", "nothing, if it passes: the service tries again"),
    "second_parent": ("Drive keeps a file in one folder only.", "nothing: it stays where it is"),
    "refused": ("Drive, or whoever signed in, refuses.", "look at the reason"),
    "empty": ("There is no picture to archive.", "nothing: it was deleted before it was archived"),
    "wrong_state": ("This address does not belong to this sign-in.", "start the sign-in again"),
    "no_code": ("This address holds no code.", "copy the whole address that the browser was sent to"),
    "port_taken": (
        "The port of the sign-in is taken.",
        "end what listens there, or sign in on another machine",
    ),
    "not_written": (
        "The token's file cannot be written.",
        "give its folder to the user that the service runs as",
    ),
    "unreadable": (
        "The token's file cannot be read, so that there is no copy of it.",
        "give it to the user that the service runs as",
    ),
    "bad_copy": ("The copy in S3 is no Google token.", "run `snapshot-processor drive-login`"),
    "no_copy": ("There is no copy of the token in the bucket.", "run `snapshot-processor drive-login`"),
    "no_bucket": ("There is no bucket for the copy of the token.", "make it, or correct BACKUP_S3_BUCKET"),
    "bad_setup": ("S3 cannot be used for the copy of the token.", "correct the AWS login"),
    "unavailable": ("S3 takes no copy of the token now.", "nothing, if it passes: it is tried again"),
}
"""Code -> what happened, and what to do about it."""


class Throttled(ArchiveUnavailable):
    """Refused because of too many calls: nothing was changed."""


class Unanswered(ArchiveUnavailable):
    """No answer, or an unclear one: the call may have been done or not."""


class NotThere(ArchiveUnavailable):
    """The file or folder of the call does not exist, or not for this account."""


class SecondParentRefused(ArchiveRejected):
    """Drive keeps a file in one folder only, as it does for all files but old ones since 2020."""


def refusal(status: int, body: bytes) -> ArchiveError:
    """The failure behind an answer with a status of 400 or more."""
    reason = _reason(body)
    if status == 429 or (status == 403 and reason in _THROTTLES):
        return Throttled("throttled", "Drive takes fewer calls than are made")
    if status >= 500 or status == 408:
        return Unanswered("server_error", f"Drive failed with status {status}")
    if status == 401:
        return ArchiveBlocked("sign_in_needed", f"Google does not accept the token any more: {SIGN_IN}.")
    if reason in _BLOCKS:
        return ArchiveBlocked(*_BLOCKS[reason])
    if reason == "cannotAddParent":
        return SecondParentRefused("second_parent", "Drive keeps a file in one folder only")
    if reason == "dailyLimitExceeded":
        return ArchiveUnavailable("daily_limit", "Drive takes no more calls today")
    if status in (404, 410):
        return NotThere("not_found", "Drive does not have what was asked for")
    if status == 413:
        return ArchiveRejected("too_large", "Drive takes no file that large")
    if status == 403:
        return ArchiveBlocked("forbidden", f"Drive refuses the call ({reason or 'without a reason'}): {SIGN_IN}.")
    return ArchiveRejected("refused", f"Drive refuses the call with status {status} ({reason or 'no reason'})")


def _reason(body: bytes) -> str:
    """The first reason of an error as Drive words it; empty for anything else, like a proxy's page."""
    try:
        error: Any = json.loads(body)["error"]
        reason = error["errors"][0]["reason"]
    except (ValueError, LookupError, TypeError):
        return ""
    return reason if isinstance(reason, str) and reason.isidentifier() else ""
