"""What a browser's subscription to messages has to be like, for those who take it and those who use it."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from urllib.parse import urlsplit

from pylib.net.public_only import names_public_host

KEY_FILE = Path("web") / "push_key.pem"
"""The service's key, below the data folder."""

MOST_SUBSCRIBERS = 100
"""Browsers of all outlets together."""

LONGEST_ENDPOINT = 1000


def endpoint_problem(endpoint: str, *, private: bool) -> str:
    """Why this is no address of a push service, in words; empty when it may be one.

    `private`: it may be in a private network, and without TLS.
    """
    try:
        parts = urlsplit(endpoint)
        usable = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or len(endpoint) > LONGEST_ENDPOINT or not endpoint.isprintable() or " " in endpoint:
        return "endpoint must be the address of a push service"
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return "endpoint must begin with https://"
    if parts.username is not None or parts.password is not None:
        return "endpoint must have no login in it"
    if not private and not names_public_host(endpoint):
        return "endpoint must be of a public host; set `allow_private` of the outlet for a push service at home"
    return ""


def decoded(text: str) -> bytes:
    """What base64url with or without its end stands for. Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None


def keys_problem(p256dh: str, auth: str) -> str:
    """Why these are no keys of a browser, in words; empty when they are."""
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(p256dh))
    except ValueError:
        return "keys.p256dh must be a point on the curve P-256, base64url"
    try:
        whole = len(decoded(auth)) == 16
    except ValueError:
        whole = False
    return "" if whole else "keys.auth must be 16 bytes, base64url"
