"""The commands that save the data folder in one file and put it back."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.cli.backup_file import back_up
from app.cli.backup_file import restore as put_back
from app.cli.failures import exit_on_failure
from app.cli.terminal import say
from app.config import settings as configuration
from app.config.data_dir import DataDir
from pylib.files.lock import FolderLock


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
@exit_on_failure
def backup(config_file: Path | None, file: Path) -> None:
    """Save the data folder (journal, pictures, passwords) in FILE.tar; the service may be running.

    \b
    Example:
      snapshot-processor backup ./snapshots.tar
    """
    data = DataDir(configuration.load(config_file).data_dir)
    saved = back_up(data, file)
    for line in saved.unread:
        say(f"left out: {line}", err=True)
    say(f"{file}: {saved.files} files, {saved.size / 1e6:.1f} MB of {data.path}")
    if saved.unread:
        sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
@exit_on_failure
def restore(config_file: Path | None, file: Path) -> None:
    """Put the backup FILE into the data folder, in which there must be no journal yet.

    \b
    Example:
      snapshot-processor restore ./snapshots.tar
    """
    data = DataDir(configuration.load(config_file).data_dir)
    lock = FolderLock(data.path)
    lock.acquire()
    saved = put_back(file, data)
    say(f"{data.path}: {saved.files} files, {saved.size / 1e6:.1f} MB restored")
