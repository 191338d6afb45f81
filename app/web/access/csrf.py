"""Protection against forged requests: whether another site made the browser send one, and for which host name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from app.web.access.client_address import is_loopback
from app.web.site import Site

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?P<port>:[0-9]{1,5})?")
_USUAL = frozenset({None, 80, 443})


def is_cross_site(connection: HTTPConnection, *, method: str, site: Site) -> bool:
    """Whether a page of another site had this sent, by its browser's headers; programs send none and pass."""
    if method in SAFE:
        return False
    fetched = connection.headers.getlist("sec-fetch-site")
    if fetched:  # which no page can set
        return any(value not in ("same-origin", "none") for value in fetched)
    origins = connection.headers.getlist("origin")
    ours = {_authority(f"//{host}") for host in connection.headers.getlist("host")} | {_authority(site.origin)}
    # None is a malformed address: `null`, which a page without an origin sends, is never ours.
    return any(_authority(origin) not in ours - {None} for origin in origins)


def is_secure(connection: HTTPConnection, *, https: bool, site: Site) -> bool:
    """Whether the browser asks by https, so that its cookie may be for https only.

    `https`: whether we or a trusted proxy saw that. Else the request's Origin decides, and else the public address:
    a browser that comes by http from the home's network, past the proxy, must be able to log in, too.
    """
    if https:
        return True
    asked_from = connection.headers.get("origin", "")
    return asked_from.startswith("https://") if asked_from else site.https


def is_called_by_our_name(connection: HTTPConnection) -> bool:
    """Whether the Host is a name of this machine.

    A page whose name was made to point to 127.0.0.1 after it was loaded still sends its own name.
    """
    hosts = connection.headers.getlist("host")
    named = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    return named is not None and is_loopback(named["name"].lower())


def _authority(address: str) -> tuple[str, int | None] | None:
    """Host and port of an address, the usual ports as None; None for what is no address."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host.lower(), None if port in _USUAL else port) if host else None
