"""What thumbnails are called: keys below a prefix, from a template."""

from __future__ import annotations

import hashlib
import re
from datetime import tzinfo
from pathlib import PurePath

from app.media.formats import JPEG_SUFFIXES, SUFFIXES
from app.messages import Snapshot

PLACEHOLDERS = ("folder", "name", "key", "size", "camera", "date", "id", "bucket")
"""`<name>`: the last part of the picture's key, or of its name in the cache if it is from no bucket; `<folder>`: what
stands before that, with its slash; `<key>`: both; `<bucket>`: the picture's, empty if it is from none; `<camera>`: as
addresses have it; `<date>`: in the home's zone."""

LONGEST = 1024
"""Bytes of a key (S3 user guide, "Naming Amazon S3 objects")."""

_PLACEHOLDER = re.compile(r"<([^<>/]*)>")
_UPWARD = re.compile(r"(?<![^/])\.{1,2}(?![^/])")


def placeholders(template: str) -> set[str]:
    """The names between angle brackets."""
    return set(_PLACEHOLDER.findall(template))


def key_of(template: str, snapshot: Snapshot, *, below: str, size: str, kind: str, zone: tzinfo) -> str:
    """The key of a thumbnail: the same for the same event, always below the prefix, and not too long.

    Two pictures of different names get different keys where the template has `<key>`, or `<folder>` and `<name>`, or
    `<id>`; those of several buckets where it has `<bucket>` or `<id>`. `below`: the prefix with its slash; `kind`: the
    thumbnail's format, whose suffix the name ends with.
    """
    source = snapshot.object_key or snapshot.dated_name
    folder, slash, name = source.rpartition("/")
    values = {
        "folder": folder + slash,
        "name": name,
        "key": source,
        "size": size,
        "camera": PurePath(snapshot.path).parent.name,
        "date": snapshot.taken_at.astimezone(zone).date().isoformat(),
        "id": snapshot.id,
        "bucket": snapshot.bucket,
    }
    made = _PLACEHOLDER.sub(lambda found: values[found[1]], template).lstrip("/")
    # A key is no path, but there are servers and tools that take it for one.
    safe = _UPWARD.sub(lambda found: "_" * len(found[0]), below + made)
    return _bounded(safe if _ends_as(safe, kind) else safe + SUFFIXES[kind], SUFFIXES[kind])


def _ends_as(key: str, kind: str) -> bool:
    return key.lower().endswith(JPEG_SUFFIXES if kind == "JPEG" else SUFFIXES[kind])


def _bounded(key: str, suffix: str) -> str:
    """The key itself, or its beginning and a digest of the whole."""
    encoded = key.encode(errors="replace")
    if len(encoded) <= LONGEST:
        return encoded.decode()
    end = f"~{hashlib.sha256(encoded).hexdigest()[:16]}{suffix}"
    return encoded[: LONGEST - len(end)].decode(errors="ignore") + end
