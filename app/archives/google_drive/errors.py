"""What Drive's refusals mean for us: later, never, or only after a person has done something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.archives import ArchiveBlocked, ArchiveError, ArchiveRejected, ArchiveUnavailable

SIGN_IN = "run `snapshot-processor drive-login`"

_THROTTLES = {"rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded"}
"""With status 403 (Drive API guide, "Resolve errors"); status 429 says the same."""

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
"""Reasons that stay until a person does something -> our code, and a sentence that says what."""


class Throttled(ArchiveUnavailable):
    """Refused because of too many calls: nothing was done."""


class Unanswered(ArchiveUnavailable):
    """No answer, or one that does not say: whether it was done is unknown."""


class NotThere(ArchiveUnavailable):
    """What the call names does not exist, or not for us."""


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
