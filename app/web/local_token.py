"""The token by which commands on this machine use the running service without a password."""

from __future__ import annotations

import hashlib
import hmac

FOLDER = "web"
"""In the data directory: what the web side keeps."""


KEY_FILE = "key"


def own_token(key: bytes) -> str:
    """What opens the API to whoever can read the key of its installation."""
    return hmac.new(key, b"own service", hashlib.sha256).hexdigest()
