"""Signatures of requests: who knows the key knows who sent a body, and when."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Snapshot-Signature"


def signature(key: str, body: bytes, *, at: int) -> str:
    """`t=<unix seconds>,v1=<HMAC-SHA256 over "t.body", in hex>`."""
    mac = hmac.new(key.encode(), b"%d." % at + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"
