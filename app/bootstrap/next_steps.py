"""What a person needs next when the service is set up: where the album is, its password, folders for uploads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from app.bootstrap.uploads import accounts_of, camera_folders_of
from app.config.settings import Settings
from app.web.access import is_loopback
from pylib.observability.health import Health

log = structlog.get_logger(__name__)

SHOWN = 5
"""Folders that are named one by one."""


def album_address(settings: Settings) -> str:
    """Where people open the album."""
    return f"{settings.web.public_url or settings.web.own_url}/"


def album_login(settings: Settings) -> str:
    """Who may open it, and where the password is."""
    web = settings.web
    if web.password.get_secret_value():
        return "with the password"
    if is_loopback(web.host) and not web.public_url:
        return "for whoever is on this machine"
    return "with the password that the service makes and shows once in its log, as login_with"


def upload_folders(settings: Settings) -> str:
    """The cameras' folders as a client of the FTP server sees them, which are those below the upload area."""
    found = camera_folders_of(settings).folders()
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{', '.join(map(str, found[:SHOWN])) or 'none'}{more}"


def next_steps(settings: Settings) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A sentence of each, and its details."""
    if settings.web.enabled:
        yield "the album", {"address": album_address(settings), "open": album_login(settings)}
    if settings.ftp.enabled and (accounts := accounts_of(settings)):
        users = ", ".join(account.username for account in accounts[:SHOWN])
        yield "FTP for cameras", {"port": settings.ftp.port, "logins": users, "folders": upload_folders(settings)}


def tell(settings: Settings) -> None:
    """Log them."""
    for sentence, details in next_steps(settings):
        log.info(sentence, **details)


def tell_failing(health: Health) -> None:
    """Log each part that does not work, of those that matter."""
    for check in health.checks():
        if check.alarm and not check.ok:
            log.warning("does not work", part=check.name, reason=check.detail)
