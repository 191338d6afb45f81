"""Signed links: each opens one picture, without a login, until it expires."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode

KINDS = ("image", "thumbnail", "preview", "annotated")

_PICTURE = re.compile(r"/api/snapshots/([^/]+)/([a-z]+)")
_SECONDS = re.compile(r"[0-9]{1,12}")
_MOST_PARAMETERS = 20


class Links:
    """Signs and checks links, all with one key: a new key ends every link."""

    def __init__(self, key: bytes | Callable[[], bytes], *, clock: Callable[[], float] = time.time) -> None:
        """`key`: secret bytes, or a function that returns them once they are needed."""
        self._key = key
        self._clock = clock

    def sign(self, snapshot_id: str, kind: str, *, seconds: float) -> str:
        """The query that opens `/api/snapshots/<snapshot_id>/<kind>` for so long. Raises ValueError."""
        if kind not in KINDS or seconds <= 0:
            raise ValueError(f"no link to {kind!r} for {seconds} seconds")
        expires = str(int(self._clock() + seconds))
        return urlencode({"expires": expires, "signature": self._signature(snapshot_id, kind, expires)})

    def permits(self, path: str, query: str) -> bool:
        """Whether this query opens this path (decoded, without the site's prefix) now; for any input at all."""
        asked = _PICTURE.fullmatch(path)
        if asked is None or asked[2] not in KINDS:
            return False
        given = _given(query)
        if given is None:
            return False
        expires, signature = given
        expected = self._signature(asked[1], asked[2], expires)
        return hmac.compare_digest(expected.encode(), signature.encode()) and self._clock() < int(expires)

    def _signature(self, snapshot_id: str, kind: str, expires: str) -> str:
        # As JSON, so that no two different triples are the same bytes.
        message = json.dumps([snapshot_id, kind, expires]).encode()
        key = self._key() if callable(self._key) else self._key
        return hmac.new(key, message, hashlib.sha256).hexdigest()


def is_link(path: str, query: str) -> bool:
    """Whether the request came with a signed link, valid or not."""
    return bool(_PICTURE.fullmatch(path)) and "signature=" in query


def _given(query: str) -> tuple[str, str] | None:
    """Expiry and signature, if each is there exactly once and plausible."""
    try:
        # Bytes that are not UTF-8 must become no surrogates, which could not be encoded again.
        values = parse_qs(query, keep_blank_values=True, errors="replace", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    expires, signature = values.get("expires", []), values.get("signature", [])
    if len(expires) != 1 or len(signature) != 1 or not _SECONDS.fullmatch(expires[0]):
        return None
    return expires[0], signature[0]
