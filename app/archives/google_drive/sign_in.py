"""The sign-in by a person, on a server without a browser: over a loopback port, or by a pasted address."""

from __future__ import annotations

import getpass
import hmac
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.archives import ArchiveBlocked, ArchiveError
from app.archives.google_drive.token import SCOPE, StoredToken, save
from app.archives.google_drive.transport import DriveTransport

PATIENCE = 600.0
"""Seconds that a person has for the sign-in."""

EXCHANGE_TIMEOUT = 30.0

_STEPS = """\
Open this address in a browser, sign in and allow access:

    {url}

If the browser runs on another machine than this one, then either, before opening it, in a terminal there:

    ssh -L {port}:127.0.0.1:{port} {login}

or let the browser fail to load the page that follows, and paste the address of that page here.
"""


class SignInRefused(ArchiveBlocked):
    """The answer belongs to another sign-in, or refuses."""


class SignIn:
    """One sign-in: a request to Google, and its answer. RFC 8252 with PKCE (RFC 7636)."""

    def __init__(self, client_secrets_file: Path, *, redirect_uri: str) -> None:
        """Load PyDrive2; sends nothing. Raises `ArchiveBlocked` where the client's file is none."""
        self._flow = _flow(client_secrets_file, redirect_uri)
        self._state = secrets.token_urlsafe(24)
        self.url: str = self._flow.step1_get_authorize_url(state=self._state)
        """The address that the person has to open."""

    def code(self, redirect: str) -> str:
        """The code in the address that Google sent the browser to. Raises `SignInRefused`."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(redirect.strip()).query).items()}
        if not hmac.compare_digest(query.get("state", "").encode(), self._state.encode()):
            raise SignInRefused("wrong_state", "This address does not belong to this sign-in.")
        if "error" in query:
            raise SignInRefused("refused", "The user refused access at Google.")
        if "code" not in query:
            raise SignInRefused("no_code", "This address holds no code.")
        return query["code"]

    def finish(self, code: str, token_file: Path) -> None:
        """Turn the code into a token and store it. Raises `ArchiveError`."""
        transport = DriveTransport(timeout=EXCHANGE_TIMEOUT)
        try:
            credentials = self._flow.step2_exchange(code, http=transport)
        except ArchiveError:
            raise
        except Exception:  # noqa: BLE001 - oauth2client's, whose text may quote the answer
            raise SignInRefused("refused", "Google did not give a token for this answer: start again.") from None
        finally:
            transport.close()
        if not credentials.refresh_token:
            raise SignInRefused("no_refresh", "Google gave a token that cannot be renewed: start again.")
        try:
            save(token_file, StoredToken(credentials, datetime.now(UTC)))
        except OSError as error:
            raise ArchiveBlocked("not_written", f"{token_file} cannot be written: {error.strerror}") from None


def sign_in(
    client_secrets_file: Path,
    token_file: Path,
    *,
    show: Callable[[str], None],
    read_line: Callable[[], str] | None = None,
    port: int = 0,
    patience: float = PATIENCE,
) -> None:
    """Lead a person through a sign-in and store the token.

    `show` takes lines for people; `read_line` gives what they paste, empty at its end; `port`: the loopback port
    to listen on, 0 for any. Raises `ArchiveError`.
    """
    answers: queue.Queue[str] = queue.Queue()
    try:
        server = _Listener(("127.0.0.1", port), answers)
    except OSError as error:
        raise ArchiveBlocked("port_taken", f"Port {port} cannot be listened on: {error.strerror}") from None
    threading.Thread(target=server.serve_forever, args=(0.1,), name="sign-in", daemon=True).start()
    try:
        sign = SignIn(client_secrets_file, redirect_uri=f"http://127.0.0.1:{server.server_port}/")
        server.belongs = sign.code
        login = f"{getpass.getuser()}@{socket.gethostname()}"
        show(_STEPS.format(url=sign.url, port=server.server_port, login=login))
        if read_line is not None:
            threading.Thread(target=_read, args=(read_line, answers), name="paste", daemon=True).start()
        sign.finish(_await(sign, answers, show, patience), token_file)
    finally:
        server.shutdown()
        server.server_close()


def _await(sign: SignIn, answers: queue.Queue[str], show: Callable[[str], None], patience: float) -> str:
    deadline = time.monotonic() + patience
    while True:
        try:
            answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise SignInRefused("timeout", f"Nobody has signed in within {patience:g} s.") from None
        try:
            return sign.code(answer)
        except SignInRefused as refused:
            if refused.code == "refused":
                raise
            show(f"{refused.detail} Paste the whole address, from http:// on.")


def _read(read_line: Callable[[], str], answers: queue.Queue[str]) -> None:
    while line := read_line():
        if line.strip():
            answers.put(line)


def _flow(client_secrets_file: Path, redirect_uri: str) -> Any:
    from oauth2client.client import OAuth2WebServerFlow
    from pydrive2.auth import GoogleAuth
    from pydrive2.settings import InvalidConfigError

    auth = GoogleAuth(settings={**GoogleAuth.DEFAULT_SETTINGS, "save_credentials": False})
    try:
        auth.LoadClientConfigFile(str(client_secrets_file))
    except (InvalidConfigError, OSError, ValueError):
        raise ArchiveBlocked(
            "bad_client_secrets",
            f"{client_secrets_file} is not the JSON file of an OAuth client of type «Desktop app»: download it from"
            " the Google Cloud console and name it in GOOGLE_CLIENT_SECRETS_FILE.",
        ) from None
    # Not PyDrive2's own flow: it has no PKCE, and requests consent with a parameter that Google has retired.
    client = auth.client_config
    return OAuth2WebServerFlow(
        client["client_id"],
        client["client_secret"],
        SCOPE,
        redirect_uri=redirect_uri,
        auth_uri=client["auth_uri"],
        token_uri=client["token_uri"],
        access_type="offline",
        prompt="consent",  # only with a new consent does Google give a token that can be renewed
        pkce=True,
    )


class _Listener(HTTPServer):
    """Receives the browser that Google sends back, on loopback only."""

    def __init__(self, address: tuple[str, int], answers: queue.Queue[str]) -> None:
        super().__init__(address, _Redirected)
        self.answers = answers
        self.belongs: Callable[[str], str] = _nobody_asked


def _nobody_asked(_: str) -> str:
    raise SignInRefused("wrong_state", "No sign-in has begun.")


class _Redirected(BaseHTTPRequestHandler):
    server: _Listener
    timeout = 10

    def do_GET(self) -> None:
        try:
            self.server.belongs(self.path)
        except SignInRefused as refused:
            if refused.code == "refused":
                self.server.answers.put(self.path)
            self._say(400, refused.detail)
        else:
            self.server.answers.put(self.path)
            self._say(200, "Thank you. The terminal says whether it worked; this page can be closed.")

    def _say(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the address holds the code, which must not be logged."""
