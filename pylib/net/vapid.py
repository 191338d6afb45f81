"""The key by which push services recognise a sender (VAPID, RFC 8292), made once."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pylib.files import durable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_making = threading.Lock()


def vapid_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """The key in this private file, made where there is none. Raises OSError, and ValueError for another content.

    Browsers' subscriptions are bound to it: without it every one of them has to subscribe again.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    with _making:
        if not file.exists():
            pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            durable.write_private(file, pem)
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError(f"{file} holds another key than one on the curve P-256")


def public_part(key: ec.EllipticCurvePrivateKey) -> str:
    """What browsers need of it to subscribe: its point, base64url."""
    from cryptography.hazmat.primitives import serialization

    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
