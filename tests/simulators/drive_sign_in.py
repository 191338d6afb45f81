"""Google's sign-in as a double: the consent page, the token endpoint, and the files both leave."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.simulators.drive_description import Violation

CLIENT_ID, CLIENT_SECRET = "client-id.example", "client-secret"
SCOPE = "https://www.googleapis.com/auth/drive.file"


class SignIns:
    """Who is signed in: tokens given, and what they are good for."""

    def __init__(self) -> None:
        self.url = ""
        """Where the endpoints are, with a slash at the end."""
        self.token_calls = 0
        self.token_lifetime = 3600
        self.revoked = False
        """The sign-in was withdrawn: no token is good, none is renewed."""
        self.token_status = 200
        """Other than 200: the token endpoint answers with that and an error of the server."""
        self.says_no = False
        """The person refuses at the next sign-in."""
        self._access: set[str] = set()
        self._refresh: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}

    def client_secrets(self, path: Path) -> Path:
        """Write the file that the Google Cloud console gives for a desktop app."""
        client = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "auth_uri": f"{self.url}auth",
            "token_uri": f"{self.url}token",
            "redirect_uris": ["http://localhost"],
        }
        path.write_text(json.dumps({"installed": client}))
        return path

    def sign_in(self, path: Path, *, expired: bool = False) -> Path:
        """Write a token file as a sign-in leaves it."""
        answer = self._grant()
        ends = datetime.now(UTC) + timedelta(seconds=-60 if expired else self.token_lifetime)
        token = {
            "access_token": answer["access_token"],
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": answer["refresh_token"],
            "token_expiry": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "token_uri": f"{self.url}token",
            "user_agent": None,
            "revoke_uri": None,
            "id_token": None,
            "token_response": None,
            "scopes": [SCOPE],
            "token_info_uri": None,
            "invalid": False,
            "_class": "OAuth2Credentials",
            "_module": "oauth2client.client",
        }
        path.write_text(json.dumps(token))
        path.chmod(0o600)
        return path

    def expire_access(self) -> None:
        """Every access token ends now, whatever was said of its life."""
        self._access.clear()

    def accepts(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and token in self._access and not self.revoked

    def authorise(self, query: Mapping[str, str]) -> str:
        """Where the browser is sent after the person has answered. Raises `Violation`."""
        needed = {"client_id": CLIENT_ID, "response_type": "code", "access_type": "offline", "scope": SCOPE}
        for name, value in needed.items():
            if query.get(name) != value:
                raise Violation(f"sign-in with {name}={query.get(name)}")
        if not query.get("state") or query.get("code_challenge_method") != "S256":
            raise Violation("sign-in without state or code challenge")
        if self.says_no:
            return query["redirect_uri"] + "?" + urlencode({"error": "access_denied", "state": query["state"]})
        code = secrets.token_urlsafe()
        self._codes[code] = dict(query)
        answer = {"state": query["state"], "code": code, "scope": query["scope"]}
        return query["redirect_uri"] + "?" + urlencode(answer)

    def token(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """The token endpoint: status and answer (RFC 6749, sections 4.1.3 and 6)."""
        self.token_calls += 1
        if self.token_status != 200:
            return self.token_status, {"error": "internal_failure", "error_description": "Backend Error"}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") == "refresh_token":
            if self.revoked or form.get("refresh_token") not in self._refresh:
                return 400, {
                    "error": "invalid_grant",
                    "error_description": "Token has been expired or revoked.",
                }
            answer = self._grant()
            answer.pop("refresh_token")
            return 200, answer
        asked = self._codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if not asked or asked["redirect_uri"] != form.get("redirect_uri") or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        self.revoked = False
        return 200, self._grant()

    def _grant(self) -> dict[str, Any]:
        access, refresh = "ya29." + secrets.token_urlsafe(), "1//" + secrets.token_urlsafe()
        self._access.add(access)
        self._refresh.add(refresh)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.token_lifetime,
            "scope": SCOPE,
            "token_type": "Bearer",
        }
