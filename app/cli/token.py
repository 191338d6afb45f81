"""The token commands: tokens are the passwords of programs that use the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import at_home, json_option, say, show_json, table
from app.cli.users import RIGHTS, device_keys, record
from app.config import settings as configuration
from app.config.data_dir import DataDir
from pylib.files.lock import FolderLock
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.web.access.tokens import ApiToken, Tokens


@click.group()
def token() -> None:
    """Manage tokens for programs that use the HTTP API; a running service follows changes at once."""


@token.command("add")
@click.argument("name")
@click.option("--trigger-only", is_flag=True, help="It may only have pictures taken, and sees nothing.")
@click.option("--right", type=RIGHTS, default="admin", show_default=True, help="What it may do.")
@click.option("--camera", "cameras", multiple=True, help="For this camera only; may be given more than once.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The day from which on it opens nothing.")
@click.option("--booth", is_flag=True, help="It opens the photo booth only: for the tablet.")
@click.pass_obj
@exit_on_failure
def token_add(
    config_file: Path | None,
    name: str,
    *,
    trigger_only: bool,
    right: str,
    cameras: tuple[str, ...],
    expires: datetime | None,
    booth: bool,
) -> None:
    """Make a token called NAME and print it; it is not shown again.

    \b
    Example:
      snapshot-processor token add phone --trigger-only
      snapshot-processor token add wall --right viewer --camera "Front Door" --expires 2030-01-01
    """
    if booth and trigger_only:
        raise click.UsageError("--booth and --trigger-only are two kinds of tokens: choose one")
    if right != "admin" and (booth or trigger_only):
        raise click.UsageError("--right is for tokens that may do more than one thing")
    if cameras and not trigger_only and (booth or right == "admin"):
        raise click.UsageError(
            "--camera needs --trigger-only, or --right viewer or operator: an admin sees all cameras"
        )
    settings = configuration.load(config_file)
    keys = device_keys(settings, cameras)
    ends = expires.replace(tzinfo=local_zone(settings.time_zone)) if expires else None
    # Loaded here: not every command needs the web side's libraries.
    from app.web.access.caller import Right

    with _changing(config_file) as tokens:
        text = tokens.add(
            name, only_triggers=trigger_only, cameras=keys, only_booth=booth, right=Right.of(right), expires_at=ends
        )
    may = "booth only" if booth else "triggers only" if trigger_only else right
    record(settings, "add token", name, may if booth else ", ".join((may, *(keys or ["all cameras"]))))
    say(text)
    if booth:
        say(f"open {_site(config_file)}/booth/enter#{text} on the tablet; `token revoke {name}` ends it", err=True)
        return
    say(f"send it as the header Authorization: Bearer ...; `token revoke {name}` ends it", err=True)


@token.command("list")
@json_option
@click.pass_obj
@exit_on_failure
def token_list(config_file: Path | None, *, as_json: bool) -> None:
    """List the tokens, oldest first.

    \b
    Example:
      snapshot-processor token list
    """
    known = _tokens(_folder(config_file)).all()
    if as_json:
        show_json([{name: value for name, value in asdict(one).items() if name != "sha256"} for one in known])
    elif not known:
        say("there is no token", err=True)
    else:
        zone = local_zone(configuration.load(config_file).time_zone)
        rows = [
            (
                one.name,
                _right(one),
                ", ".join(one.cameras) or "all",
                _day(one.made_at, zone),
                _day(one.expires_at, zone),
            )
            for one in known
        ]
        table(("NAME", "RIGHT", "CAMERAS", "SINCE", "EXPIRES"), rows)


@token.command("revoke")
@click.argument("name")
@click.pass_obj
@exit_on_failure
def token_revoke(config_file: Path | None, name: str) -> None:
    """Revoke the token called NAME; it opens nothing any more.

    \b
    Example:
      snapshot-processor token revoke phone
    """
    with _changing(config_file) as tokens:
        tokens.revoke(name)
    record(configuration.load(config_file), "revoke token", name)
    say(f"{name} is revoked")


def _day(text: str, zone: tzinfo) -> str:
    return f"{at_home(text, zone):%Y-%m-%d}" if text else "never"


def _right(one: ApiToken) -> str:
    return "booth" if one.only_booth else "triggers" if one.only_triggers else one.right


@contextmanager
def _changing(config_file: Path | None) -> Iterator[Tokens]:
    """The tokens, locked against changes by other commands."""
    folder = _folder(config_file)
    lock = FolderLock(folder)
    lock.acquire()
    try:
        yield _tokens(folder)
    finally:
        lock.release()


def _site(config_file: Path | None) -> str:
    web = configuration.load(config_file).web
    return web.public_url or web.own_url


def _folder(config_file: Path | None) -> Path:
    return DataDir(looking(config_file).data_dir).web


def _tokens(folder: Path) -> Tokens:
    # Loaded here: not every command needs the web side's libraries.
    from app.web.access import tokens

    return tokens.Tokens(folder / tokens.FILE)
