"""HTTP digest login (RFC 7616, and RFC 2069 for cameras of its age)."""

from __future__ import annotations

import hashlib
import re
import secrets

from app.cameras.http.challenges import Challenge

_HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256}


class Digest:
    """A camera's challenge, answered with each request until the camera sends another.

    State of one camera's session, not of a thread: the nonce count has to rise whichever thread asks.
    """

    def __init__(self, challenge: Challenge, *, username: str, password: str) -> None:
        """Raises ValueError when the challenge cannot be answered."""
        parameters = challenge.parameters
        self._algorithm = parameters.get("algorithm") or "MD5"
        family = self._algorithm.lower().removesuffix("-sess")
        offered = [option.strip() for option in parameters.get("qop", "").split(",")]
        if "nonce" not in parameters or family not in _HASHES or not {"", "auth"} & set(offered):
            raise ValueError("a challenge that cannot be answered")
        self._hash = _HASHES[family]
        self._session = self._algorithm.lower().endswith("-sess")
        self._qop = "auth" if "auth" in offered else ""
        self._realm = parameters.get("realm", "")
        self._nonce = parameters["nonce"]
        self._opaque = parameters.get("opaque")
        self._username = username
        self._password = password
        self._count = 0

    def __call__(self, uri: str, method: str = "GET") -> str:
        """The Authorization header for a request of `uri`, the request line's path and query."""
        self._count += 1
        count = f"{self._count:08x}"
        client_nonce = secrets.token_hex(8)
        fields = {
            "username": _quoted(self._username),
            "realm": f'"{self._realm}"',  # as it came, with whatever was escaped in it
            "nonce": f'"{self._nonce}"',
            "uri": f'"{uri}"',
            "response": f'"{self._response(f"{method}:{uri}", count, client_nonce)}"',
            "algorithm": self._algorithm,
        }
        if self._opaque is not None:
            fields["opaque"] = f'"{self._opaque}"'
        if self._qop:
            fields |= {"qop": self._qop, "nc": count, "cnonce": f'"{client_nonce}"'}
        return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items())

    def _response(self, line: str, count: str, client_nonce: str) -> str:
        realm = re.sub(r"\\(.)", r"\1", self._realm)
        secret = self._digest(self._username, realm, self._password)
        if self._session:
            secret = self._digest(secret, self._nonce, client_nonce)
        request = self._digest(line)
        if not self._qop:
            return self._digest(secret, self._nonce, request)
        return self._digest(secret, self._nonce, count, client_nonce, self._qop, request)

    def _digest(self, *parts: str) -> str:
        return self._hash(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
