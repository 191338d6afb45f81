"""What the commands print."""

from __future__ import annotations

import click

from pylib.observability.printable import printable


def say(line: object, *, err: bool = False) -> None:
    """Print one line, in which names of files and of cameras can do no harm."""
    click.echo(printable(str(line)), err=err)
