"""The page of all commands as Markdown, made from what their help says."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

EXAMPLE = "\b\nExample:\n"
"""How the example begins in a command's help."""

HEAD = """\
# Commands

Every command, with an example. `snapshot-processor commands` prints this page, and `make docs` writes it.
`snapshot-processor COMMAND --help` says the same of one of them. In Docker, put `docker compose exec app` before it.

- `--config FILE`, before the command, names a configuration file.
- `--json` prints JSON: with `events --follow`, `watch` and `cameras test` one line for each, elsewhere one value.
- Tables are as wide as the terminal. In a pipe each row is one line.
- Colours are on terminals only. `NO_COLOR=1` switches them off, `FORCE_COLOR=1` on.
- A command ends with 0 when all is well, with 1 when something failed, with 2 when it makes no sense, and with 78 when
  the configuration cannot be used. What is wrong is one sentence on the standard error output.

## Completion

The shell completes commands and options after this line, which belongs into `~/.bashrc`:

```sh
eval "$(_SNAPSHOT_PROCESSOR_COMPLETE=bash_source snapshot-processor)"
```

For zsh it is `zsh_source`, in `~/.zshrc`. For fish it is `fish_source`, in
`~/.config/fish/completions/snapshot-processor.fish`.
"""


def reference(main: click.Group) -> str:
    """A section for each command."""
    return "\n".join((HEAD, *(_section(name, command) for name, command in commands(main))))


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    """All commands that do something, by their whole name, in the order of the alphabet."""
    context = click.Context(group)
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        assert command is not None  # noqa: S101 - it is on the list
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


def examples(command: click.Command) -> list[str]:
    """The command lines that its help shows."""
    return [line.strip() for line in _help(command).partition(EXAMPLE)[2].splitlines()]


def _help(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "")


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join((name, *command.collect_usage_pieces(context))).replace("[OPTIONS]", "").split()
    lines = [f"## {name}", "", f"`{' '.join(usage)}`", "", _help(command).partition(EXAMPLE)[0].strip(), ""]
    options = [found for option in command.params if (found := option.get_help_record(context)) and found[1]]
    if options:
        lines += ["| Option | What it does |", "|---|---|"]
        lines += [f"| `{_escaped(names)}` | {_escaped(' '.join(text.split()))} |" for names, text in options]
        lines.append("")
    return "\n".join([*lines, "```sh", *examples(command), "```", ""])


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")
