"""The commands for bans after wrong logins, which the running service is asked for."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import click

from app.cli.api_client import ApiClient, ServiceAway
from app.cli.failures import exit_on_failure
from app.config import settings as configuration
from app.config.data_dir import DataDir


@click.group()
def bans() -> None:
    """Show and lift bans of the running service: logins that are not checked after too many wrong passwords."""


@bans.command("list")
@click.pass_obj
@exit_on_failure
def bans_list(config_file: Path | None) -> None:
    """List the bans of the album, the FTP server and the mail server."""
    settings = configuration.load(config_file)
    found = ApiClient(settings.web, settings.data_dir).get_well("/api/bans", timeout=10)["bans"]
    for ban in found:
        login = repr(ban["login"]) if ban["login"] else "all logins but those that worked there lately"
        click.echo(f"{ban['server']}  {ban['address']}  until {ban['until']}  {login}")
    if not found:
        click.echo("there is no ban", err=True)


@bans.command("lift")
@click.argument("address", required=False)
@click.option("--all", "everywhere", is_flag=True, help="Lift all bans.")
@click.pass_obj
@exit_on_failure
def bans_lift(config_file: Path | None, address: str | None, everywhere: bool) -> None:
    """Lift the bans of ADDRESS at all servers."""
    if bool(address) == everywhere:
        raise click.UsageError("name an address, or say --all")
    query = urlencode({"address": address or ""})
    settings = configuration.load(config_file)
    try:
        lifted = ApiClient(settings.web, settings.data_dir).post(f"/api/bans/lift?{query}", timeout=10)["lifted"]
    except ServiceAway as error:
        files = " and ".join(map(str, DataDir(settings.data_dir).bans))
        raise ServiceAway(error.code, f"{error.detail}; without it, stop the service and delete {files}") from None
    click.echo(f"lifted: {lifted}")
