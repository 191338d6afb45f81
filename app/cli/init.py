"""The command that writes the first config.yml."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import init_file
from app.cli.cameras import show_tried
from app.cli.failures import exit_on_failure
from app.cli.terminal import json_line, say
from app.config import settings as configuration
from pylib.files import durable
from pylib.observability import logs
from pylib.settings.draft import ConfigError

if TYPE_CHECKING:
    from app.bootstrap.trying import Tried


@click.command()
@click.option(
    "--camera",
    "given",
    multiple=True,
    metavar="NAME=VALUE,...",
    help="A camera, instead of questions: make, location, address, username, password or password_file.",
)
@click.option("--no-test", is_flag=True, help="Write the file without a picture of each camera.")
@click.pass_obj
@exit_on_failure
def init(config_file: Path | None, given: tuple[str, ...], no_test: bool) -> None:
    """Ask for cameras, take a picture with each, and write config.yml. A file that is there is never changed.

    \b
    Example:
      snapshot-processor init
      snapshot-processor init --camera "make=dahua,location=Yard,address=192.168.1.20,username=me,password_file=pw"
    """
    path = _new_file(config_file)
    logs.configure(level="critical", format="console")
    cameras = _given(given, path, test=not no_test) if given else [*_asked(path, test=not no_test)]
    text = init_file.text_of(cameras)
    durable.write(path.with_name(init_file.SCHEMA), _schema(), mode=0o644)
    try:
        durable.write_new(path, text.encode())
    except FileExistsError:
        raise click.ClickException(_there(path)) from None
    _give_to_owner(path)
    say(f"wrote {path}, and beside it {init_file.SCHEMA} for editors")
    say("next: snapshot-processor check, then snapshot-processor run")


def _new_file(config_file: Path | None) -> Path:
    """Where the file goes: as it will be found. Raises `click.ClickException` where there is one."""
    found = [one for one in configuration.CONFIG_FILES if one.exists()]
    folder = configuration.CONFIG_FILES[1]
    path = config_file or (folder if folder.parent.is_dir() else configuration.CONFIG_FILES[0])
    if path.exists() or (config_file is None and found):
        raise click.ClickException(_there(path if path.exists() else found[0]))
    if not path.parent.is_dir():
        raise click.ClickException(f"there is no folder {path.parent}: make it first")
    return path


def _there(path: Path) -> str:
    return f"{path} is there already, and stays as it is: change it with an editor, or name another with --config"


def _given(given: Sequence[str], path: Path, *, test: bool) -> list[dict[str, Any]]:
    """The cameras of the command line. Raises `click.ClickException` where one gives no picture."""
    cameras: list[dict[str, Any]] = []
    for text in given:
        try:
            cameras.append(init_file.parsed(text))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--camera") from None
    results = _tried(cameras, path, those=cameras if test else ())
    for tried in results:
        show_tried(tried)
    if any(tried.picture is None for tried in results):
        raise click.ClickException("nothing was written: correct the camera, or say --no-test")
    return cameras


def _asked(path: Path, *, test: bool) -> Iterator[dict[str, Any]]:
    cameras: list[dict[str, Any]] = []
    say(f"Makes: {', '.join(init_file.makes())}")
    say("Not among them: onvif suits most cameras, and snapshot-processor discover finds those.")
    while not cameras or click.confirm("One more camera?", default=False):
        camera: dict[str, Any] = {}
        while True:
            camera = _questions(camera)
            if _is_well(cameras, camera, path, test=test):
                break
        cameras.append(camera)
        yield camera


def _questions(before: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody answers; the answers `before` are the defaults."""
    last = before.get("preset") or before.get("kind") or "onvif"
    make = click.prompt("Make", type=click.Choice(init_file.makes()), show_choices=False, default=last)
    camera = {**init_file.of_make(make), "location": click.prompt("Where is it", default=before.get("location"))}
    if name := init_file.place_of(camera):
        known = before.get(name)
        shown = shlex.join(known) if isinstance(known, list) else known
        answer = click.prompt(f"Its {name} ({init_file.EXAMPLES[name]})", default=shown)
        camera[name] = shlex.split(answer) if name == "argv" else answer
    if init_file.wants_stream(camera):
        camera["stream"] = click.prompt("Name of the camera there", default=before.get("stream"))
    if init_file.wants_login(camera):
        username = click.prompt("User name, empty for none", default=before.get("username", ""), show_default=False)
        if username:
            camera["username"] = username
            password = click.prompt("Password", hide_input=True, default=before.get("password", ""), show_default=False)
            camera["password"] = password
    return camera


def _is_well(cameras: Sequence[dict[str, Any]], camera: dict[str, Any], path: Path, *, test: bool) -> bool:
    """Whether the camera goes into the file: it gives a picture, or somebody wants it all the same."""
    try:
        results = _tried([*cameras, camera], path, those=[camera] if test else ())
    except ConfigError as error:
        for problem in error.problems:
            say(problem, err=True)
        return False
    for tried in results:
        show_tried(tried)
        return tried.picture is not None or not click.confirm("Answer again?", default=True)
    return True


def _tried(cameras: Sequence[Mapping[str, Any]], path: Path, *, those: Sequence[Mapping[str, Any]]) -> list[Tried]:
    """What becomes of a picture of `those` of the cameras. Raises `ConfigError` for a file that could not be used."""
    from app.bootstrap.trying import try_camera

    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        durable.write_private(draft, init_file.text_of(cameras).encode())
        try:
            settings = configuration.load(draft)
        except ConfigError as error:
            # Nobody sees the file in which they stand.
            raise ConfigError(
                re.sub(r" \(line \d+\)", "", problem.replace(f"{draft}: ", "")) for problem in error.problems
            ) from None
    wanted = {camera.get("location") for camera in those}
    return [try_camera(one, settings) for one in settings.cameras if one.location in wanted]


def _give_to_owner(path: Path) -> None:
    """What root has written belongs to whoever the data belong to: under that number the service runs."""
    if os.getuid() != 0:
        return
    with suppress(OSError):  # there are none yet
        owner = configuration.load(path).data_dir.stat()
        for made in (path, path.with_name(init_file.SCHEMA)):
            os.chown(made, owner.st_uid, owner.st_gid)


def _schema() -> bytes:
    return f"{json_line(configuration.json_schema())}\n".encode()
