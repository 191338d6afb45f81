"""What the commands print: lines, tables and JSON, on terminals, in pipes and in logs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import click

from pylib.observability.printable import printable

AS_LONG_AS_IT_IS = 10_000
"""Columns of a pipe: what reads it wants one line a row."""


class Coloured(NamedTuple):
    """A word that has a colour where there are any: one of the eight of every terminal."""

    text: str
    colour: str


OK = Coloured("ok", "green")
WARNING = Coloured("warning", "yellow")
WRONG = Coloured("WRONG", "red")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def say(line: object, *, mark: Coloured | None = None, err: bool = False) -> None:
    """Print one line, in which names of files and of cameras can do no harm; `mark` stands before it."""
    text = printable(str(line))
    if mark is not None:
        text = f"{click.style(f'{mark.text:<7}', fg=mark.colour)} {text}"
    click.echo(text, err=err, color=has_colours(err=err))


def advise(remedy: str) -> None:
    """Print what to do about the line before."""
    if remedy:
        say(f"        -> {remedy}")


def show_json(value: Any) -> None:
    """Print a value as JSON in several lines; whatever could move a cursor is escaped in it."""
    click.echo("\n".join(map(_harmless, json.dumps(value, indent=2, ensure_ascii=False, default=str).split("\n"))))


def json_line(value: Any) -> str:
    """A value as JSON in one line."""
    return _harmless(json.dumps(value, ensure_ascii=False, default=str))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, whole: Collection[str] = ()) -> None:
    """Print rows of text, or of `Coloured` words, in aligned columns: folded to a terminal's width, else as they are.

    Columns with these headers stay `whole`, for what is copied from them. Prints nothing, not even the headers, where
    there is no row.
    """
    found = list(rows)
    if not found:
        return
    # Loaded here: most commands print no table.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def cell(content: object) -> Text:
        if isinstance(content, Coloured):
            return Text(printable(content.text), style=content.colour)
        return Text(printable(str(content)))

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        grid.add_column(header, overflow="fold", no_wrap=header in whole)
    for row in found:
        grid.add_row(*map(cell, row))
    colours = has_colours()
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else AS_LONG_AS_IT_IS
    console = Console(
        width=width, color_system="standard" if colours else None, force_terminal=colours, legacy_windows=False
    )
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), color=colours)


def has_colours(*, err: bool = False) -> bool:
    """Whether to print colours: not with NO_COLOR, always with FORCE_COLOR, else on a terminal that has them."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return (sys.stderr if err else sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def at_home(text: str, zone: tzinfo) -> datetime:
    """A moment as files and the API have it, ISO 8601, on the clock of the home."""
    return datetime.fromisoformat(text).astimezone(zone)


def counted(number: int, what: str) -> str:
    """`1 camera`, `2 cameras`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def people(number: int) -> str:
    """`1 person`, `2 people`."""
    return f"{number:,} {'person' if number == 1 else 'people'}"


def size_text(size: int) -> str:
    """Bytes for people: `412 kB`, `3.1 MB`."""
    if size < 1_000_000:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e6:.1f} MB" if size < 1_000_000_000 else f"{size / 1e9:.1f} GB"


def _harmless(line: str) -> str:
    """JSON without signs that a terminal acts on; they stand in strings only, where JSON escapes them."""
    if line.isprintable():
        return line
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in line)
