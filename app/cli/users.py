"""The commands around people: who may use the album, with which right, and the passwords."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import at_home, json_option, say, show_json, table
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.journal.audit import record_of_command
from app.naming import CameraNames
from pylib.errors import Permanent
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.config.settings import Settings
    from app.web.access.users import User, Users

RIGHTS = click.Choice(["viewer", "operator", "admin"])
camera_option = click.option(
    "--camera", "cameras", multiple=True, help="Only this camera is seen; may be given more than once."
)


class PasswordElsewhere(Permanent):
    """The album's password is set where no command changes it."""


@click.group()
def users() -> None:
    """Manage the people who use the album; a running service follows changes at once."""


@users.command("add")
@click.argument("name")
@click.option("--right", type=RIGHTS, default="viewer", show_default=True, help="What they may do.")
@camera_option
@click.pass_obj
@exit_on_failure
def users_add(config_file: Path | None, name: str, *, right: str, cameras: tuple[str, ...]) -> None:
    """Add a user called NAME, whose password is asked for, or read from the standard input.

    \b
    Example:
      snapshot-processor users add Anna --right viewer --camera "Front Door"
    """
    settings = configuration.load(config_file)
    keys = device_keys(settings, cameras)
    from app.web.access.caller import Right

    user = _users(settings).add(name, new_password(), Right.of(right), keys)
    record(settings, "add user", user.name, user.summary)
    say(f"{user.name} is added")


@users.command("list")
@json_option
@click.pass_obj
@exit_on_failure
def users_list(config_file: Path | None, *, as_json: bool) -> None:
    """List the users, by name.

    \b
    Example:
      snapshot-processor users list
    """
    settings = looking(config_file)
    known, zone = _users(settings).all(), local_zone(settings.time_zone)
    if as_json:
        show_json([_shown(user) for user in known])
    elif not known:
        say("there is no user: whoever has the album's password is an admin", err=True)
    else:
        rows = [
            (
                user.name,
                user.right.word,
                ", ".join(user.cameras) or "all",
                f"{at_home(user.made_at, zone):%Y-%m-%d %H:%M}",
            )
            for user in known
        ]
        table(("NAME", "RIGHT", "CAMERAS", "SINCE"), rows)


@users.command("right")
@click.argument("name")
@click.argument("right", type=RIGHTS)
@camera_option
@click.option("--all-cameras", is_flag=True, help="All cameras are seen from now on.")
@click.pass_obj
@exit_on_failure
def users_right(
    config_file: Path | None, name: str, right: str, *, cameras: tuple[str, ...], all_cameras: bool
) -> None:
    """Give the user NAME another right; it counts at once, for the cameras of before unless others are named.

    \b
    Example:
      snapshot-processor users right Anna operator
      snapshot-processor users right Anna viewer --all-cameras
    """
    if cameras and all_cameras:
        raise click.UsageError("--camera and --all-cameras say two things: choose one")
    settings = configuration.load(config_file)
    from app.web.access.caller import Right

    wanted = device_keys(settings, cameras) if cameras or all_cameras else None
    user = _users(settings).change(name, right=Right.of(right), cameras=wanted)
    record(settings, "change user", user.name, user.summary)
    say(f"{user.name}: {right}, {', '.join(user.cameras) or 'all cameras'}")


@users.command("passwd")
@click.argument("name")
@click.pass_obj
@exit_on_failure
def users_passwd(config_file: Path | None, name: str) -> None:
    """Give the user NAME another password, asked for or read from the standard input; all sessions end.

    \b
    Example:
      snapshot-processor users passwd Anna
    """
    settings = configuration.load(config_file)
    user = _users(settings).set_password(name, new_password())
    record(settings, "password", user.name)
    say(f"the password of {user.name} is changed")


@users.command("remove")
@click.argument("name")
@click.pass_obj
@exit_on_failure
def users_remove(config_file: Path | None, name: str) -> None:
    """Delete the user NAME, who is out at once.

    \b
    Example:
      snapshot-processor users remove Anna
    """
    settings = configuration.load(config_file)
    user = _users(settings).remove(name)
    record(settings, "delete user", user.name)
    say(f"{user.name} is deleted")


@click.command()
@click.pass_obj
@exit_on_failure
def passwd(config_file: Path | None) -> None:
    """Change the album's own password, where a file holds it; say where it is set otherwise.

    \b
    Example:
      snapshot-processor passwd
    """
    settings = configuration.load(config_file)
    secret_file = os.environ.get("WEB_PASSWORD_FILE", "").strip()
    if secret_file:
        _write(Path(secret_file), new_password().encode())
    elif settings.web.password.get_secret_value():
        where = "WEB_PASSWORD, in the environment or .env" if "WEB_PASSWORD" in os.environ else "web.password"
        raise PasswordElsewhere("password_elsewhere", f"the password is set as {where}: change it there, and restart")
    else:
        _write_made(settings)
    record(settings, "password", "")
    say("the password is changed: restart the service, which ends all its sessions")


def new_password() -> str:
    """A password that is typed twice, unseen, or the first line of the standard input where that is no terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("New password", hide_input=True, confirmation_prompt="Once more", err=True))


def device_keys(settings: Settings, names: tuple[str, ...]) -> list[str]:
    """The device keys of these cameras. Raises `UnknownCamera`."""
    known = CameraNames([camera.device_key for camera in settings.cameras])
    return [known.find(name) for name in names]


def _write_made(settings: Settings) -> None:
    from app.web.access import hashing, key_files, passwords
    from app.web.access.authentication import Authentication

    if not Authentication.has_own_password(settings.web):
        raise PasswordElsewhere("no_password", "no password is asked for on this machine: set WEB_PASSWORD to have one")
    password = new_password()
    hashing.check(password)
    key_files.write(DataDir(settings.data_dir).web / "password", f"{passwords.hashed(password)}\n".encode())


def _write(path: Path, password: bytes) -> None:
    from app.web.access import hashing, key_files

    hashing.check(password.decode())
    key_files.write(path, password + b"\n")


def record(settings: Settings, action: str, subject: str, detail: str = "") -> None:
    """Put a change that this command has made into the audit log."""
    journal = DataDir(settings.data_dir).journal
    if not record_of_command(journal, action, subject=subject, detail=detail, who=_own_name()):
        say("it is not in the audit log: the journal cannot be written now", err=True)


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in a container whose user has no name
        return str(os.getuid())


def _users(settings: Settings) -> Users:
    # Loaded here: not every command needs the web side's libraries.
    from app.web.access import users as people
    from app.web.access.authentication import Authentication

    needed = not Authentication.has_own_password(settings.web)
    return people.Users(DataDir(settings.data_dir).web / people.FILE, admin_needed=needed)


def _shown(user: User) -> dict[str, Any]:
    kept = {name: value for name, value in asdict(user).items() if name not in ("hash", "generation")}
    return {**kept, "right": user.right.word}
