"""The token commands: tokens are the passwords of programs that use the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.failures import exit_on_failure
from app.cli.terminal import say
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.naming import CameraNames
from pylib.files.lock import FolderLock

if TYPE_CHECKING:
    from app.web.access.tokens import Tokens


@click.group()
def token() -> None:
    """Manage tokens for programs that use the HTTP API; a running service follows changes at once."""


@token.command("add")
@click.argument("name")
@click.option("--trigger-only", is_flag=True, help="It may only have pictures taken, and sees nothing.")
@click.option("--camera", "cameras", multiple=True, help="With this camera only; may be given more than once.")
@click.option("--booth", is_flag=True, help="It opens the photo booth only: for the tablet.")
@click.pass_obj
@exit_on_failure
def token_add(
    config_file: Path | None, name: str, *, trigger_only: bool, cameras: tuple[str, ...], booth: bool
) -> None:
    """Make a token called NAME and print it; it is not shown again."""
    if booth and trigger_only:
        raise click.UsageError("--booth and --trigger-only are two kinds of tokens: choose one")
    if cameras and not trigger_only:
        raise click.UsageError("--camera needs --trigger-only: other rights are not limited to cameras")
    keys = _device_keys(config_file, cameras)
    with _changing(config_file) as tokens:
        text = tokens.add(name, only_triggers=trigger_only, cameras=keys, only_booth=booth)
    say(text)
    if booth:
        say(f"open {_site(config_file)}/booth/enter#{text} on the tablet; `token revoke {name}` ends it", err=True)
        return
    say(f"send it as the header Authorization: Bearer ...; `token revoke {name}` ends it", err=True)


@token.command("list")
@click.pass_obj
@exit_on_failure
def token_list(config_file: Path | None) -> None:
    """List the tokens, oldest first."""
    known = _tokens(_folder(config_file)).all()
    for one in known:
        rights = f"  triggers of {', '.join(one.cameras) or 'all cameras'} only" if one.only_triggers else ""
        rights = "  photo booth only" if one.only_booth else rights
        say(f"{one.made_at}  {one.name}{rights}")
    if not known:
        say("there is no token", err=True)


@token.command("revoke")
@click.argument("name")
@click.pass_obj
@exit_on_failure
def token_revoke(config_file: Path | None, name: str) -> None:
    """Revoke the token called NAME; it opens nothing any more."""
    with _changing(config_file) as tokens:
        tokens.revoke(name)
    say(f"{name} is revoked")


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


def _device_keys(config_file: Path | None, names: tuple[str, ...]) -> list[str]:
    """The device keys of these cameras. Raises `UnknownCamera`."""
    if not names:
        return []
    known = CameraNames([camera.device_key for camera in configuration.load(config_file).cameras])
    return [known.find(name) for name in names]


def _site(config_file: Path | None) -> str:
    web = configuration.load(config_file).web
    return web.public_url or web.own_url


def _folder(config_file: Path | None) -> Path:
    return DataDir(configuration.load(config_file).data_dir).web


def _tokens(folder: Path) -> Tokens:
    # Loaded here: not every command needs the web side's libraries.
    from app.web.access import tokens

    return tokens.Tokens(folder / tokens.FILE)
