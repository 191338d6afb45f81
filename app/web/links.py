"""Signed links: each opens one picture, a camera's newest, or the page that snoozes it, without a login, until it
expires."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode

THUMBNAIL, ANIMATION = "thumbnail", "animation"
PICTURES = ("image", THUMBNAIL, "preview", "annotated", ANIMATION)
"""Of a snapshot: may be looked at."""
SNOOZE = "snooze"
"""Of a camera: its page may be looked at, and its button pressed."""
GUEST = "guest"
"""Of the photo booth: a guest's page and animation may be looked at, and the page's button pressed."""
LATEST = "latest.jpg"
"""Of a camera: its newest picture may be looked at, with boxes and in any width."""
KINDS = (*PICTURES, SNOOZE, GUEST, LATEST)

LOOKS = frozenset({"GET", "HEAD"})
PRESSED = frozenset({("POST", SNOOZE), ("POST", GUEST)})

_FRAME = r"frames/[0-9]{1,2}"
"""One of several pictures of a snapshot."""
_KIND = re.compile(rf"{'|'.join(map(re.escape, KINDS))}|{_FRAME}")
_PICTURE = re.compile(rf"/api/snapshots/([^/]+)/({'|'.join(PICTURES)}|{_FRAME})")
_SNOOZE = re.compile(rf"/{SNOOZE}/([^/]+)")
_GUEST = re.compile(r"/booth/guests/([^/]+?)(/animation)?")
_LATEST = re.compile(rf"/api/cameras/([^/]+)/{re.escape(LATEST)}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_MOST_PARAMETERS = 20


class Links:
    """Signs and checks links, all with one key: a new key ends every link."""

    def __init__(self, key: bytes | Callable[[], bytes], *, clock: Callable[[], float] = time.time) -> None:
        """`key`: secret bytes, or a function that returns them once they are needed."""
        self._key = key
        self._clock = clock

    def sign(self, name: str, kind: str, *, seconds: float, width: int = 0) -> str:
        """The query that opens this kind of link for so long. Raises ValueError.

        `name`: a snapshot's id, for `/api/snapshots/<name>/<kind>`; a camera's, for `/snooze/<name>`; a guest's, for
        `/booth/guests/<name>`; a camera's too, for `/api/cameras/<name>/latest.jpg`. `width`: of a thumbnail, in
        pixels, where it is not the usual one: the link opens no other.
        """
        if not _KIND.fullmatch(kind) or seconds <= 0 or (width and kind != THUMBNAIL):
            raise ValueError(f"no link to {kind!r} for {seconds} seconds")
        expires, asked = str(int(self._clock() + seconds)), str(width or "")
        signature = self._signature(name, kind, expires, asked)
        return urlencode({**({"width": asked} if asked else {}), "expires": expires, "signature": signature})

    def permits(self, path: str, query: str, *, method: str = "GET") -> bool:
        """Whether this query opens this path (decoded, without the site's prefix) now; for any input at all."""
        asked = _asked(path)
        if asked is None or (method not in LOOKS and (method, asked[1]) not in PRESSED):
            return False
        given = _given(query)
        if given is None:
            return False
        expires, signature, width = given
        expected = self._signature(*asked, expires, width if asked[1] == THUMBNAIL else "")
        return hmac.compare_digest(expected.encode(), signature.encode()) and self._clock() < int(expires)

    def _signature(self, name: str, kind: str, expires: str, width: str) -> str:
        # As JSON, so that no two different ones are the same bytes.
        message = json.dumps([name, kind, expires, *([width] if width else [])]).encode()
        key = self._key() if callable(self._key) else self._key
        return hmac.new(key, message, hashlib.sha256).hexdigest()


def is_link(path: str, query: str) -> bool:
    """Whether the request came with a signed link, valid or not."""
    return _asked(path) is not None and "signature=" in query


def _asked(path: str) -> tuple[str, str] | None:
    """Name and kind of what a path leads to; None where no link may."""
    if picture := _PICTURE.fullmatch(path):
        return picture[1], picture[2]
    if page := _GUEST.fullmatch(path):
        return page[1], GUEST
    if newest := _LATEST.fullmatch(path):
        return newest[1], LATEST
    page = _SNOOZE.fullmatch(path)
    return (page[1], SNOOZE) if page else None


def _given(query: str) -> tuple[str, str, str] | None:
    """Expiry and signature, if each is there exactly once and plausible, and the width, at most once."""
    try:
        # Bytes that are not UTF-8 must become no surrogates, which could not be encoded again.
        values = parse_qs(query, keep_blank_values=True, errors="replace", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    expires, signature = values.get("expires", []), values.get("signature", [])
    width = values.get("width", [""])
    if any(len(one) != 1 for one in (expires, signature, width)) or not _SECONDS.fullmatch(expires[0]):
        return None
    return expires[0], signature[0], width[0]
