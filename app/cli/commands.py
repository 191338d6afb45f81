"""Commands that are loaded when they are asked for: loading all takes longer than what most of them do."""

from __future__ import annotations

from importlib import import_module

import click

MODULES = {
    "archive": "archive",
    "audit": "audit",
    "backup": "backup",
    "bans": "bans",
    "cameras": "cameras",
    "check": "checking",
    "clean": "archive",
    "dead-letters": "dead_letters",
    "delete": "delete",
    "discover": "discover",
    "doctor": "doctor",
    "drive-login": "archive",
    "events": "events",
    "export": "export",
    "film": "film",
    "health": "health",
    "iam": "iam",
    "init": "init",
    "mode": "telling",
    "model": "model",
    "notify": "notify",
    "passwd": "users",
    "redetect": "redetect",
    "replay": "telling",
    "restore": "backup",
    "running-film": "running_film",
    "snooze": "telling",
    "thresholds": "thresholds",
    "token": "token",
    "trigger": "trigger",
    "users": "users",
    "watch": "watch",
}
"""Command -> the module of `app.cli` that has it, as a function of this name with underscores."""


class Commands(click.Group):
    """A group of these commands and its own."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted({*MODULES, *self.commands})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.commands:
            for wanted in [name] if name in MODULES else MODULES:  # click proposes one for a name that is none
                self.add_command(_loaded(wanted))
        return super().get_command(context, name)


def _loaded(name: str) -> click.Command:
    command: click.Command = getattr(import_module(f"app.cli.{MODULES[name]}"), name.replace("-", "_"))
    return command
