"""The token by which commands on this machine use the running service without a password."""

from __future__ import annotations

import hashlib
import hmac

FOLDER = "web"
"""In the data directory: the web side's files."""


KEY_FILE = "key"


def own_token(key: bytes) -> str:
    """The token that opens the API to whoever can read the key of its installation."""
    return hmac.new(key, b"own service", hashlib.sha256).hexdigest()
