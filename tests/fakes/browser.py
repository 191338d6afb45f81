"""A browser that subscribed to messages, and what it makes of a push service's request."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from app.rules.subscribers import Subscriber


class FakeBrowser:
    """One device, with the keys that it keeps to itself."""

    def __init__(self, endpoint: str, *, person: str = "Ann", outlet: str = "push") -> None:
        self.endpoint = endpoint
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)
        self.subscriber = Subscriber(
            endpoint, outlet, person, encoded(point(self._key.public_key())), encoded(self._auth)
        )

    def read(self, body: bytes) -> Any:
        """The message in a request's body. Raises where it is not for this browser (RFC 8291)."""
        return json.loads(http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed_by(authorization: str) -> tuple[str, Any]:
    """The sender's key and claims in a request's header. Raises where the signature is not that key's (RFC 8292)."""
    scheme, _, parameters = authorization.partition(" ")
    assert scheme == "vapid"
    values = dict(part.strip().split("=", 1) for part in parameters.split(","))
    head, claims, signature = values["t"].split(".")
    raw = decoded(signature)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(values["k"]))
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    key.verify(utils.encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    assert json.loads(decoded(head))["alg"] == "ES256"
    return values["k"], json.loads(decoded(claims))
