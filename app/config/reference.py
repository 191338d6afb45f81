"""The reference of all settings as Markdown, made from the models that check them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from app.config.environment import AWS, OTHERS, row_of, settings_of
from app.config.numbered import NumberedList, numbered_lists
from app.config.settings import CAMERA_KINDS, Settings, environment_table
from pylib.settings.kinds import KindField
from pylib.settings.variables import Variable, is_list, kinds_around, kinds_of, variables
from pylib.settings.yaml_file import dotted

HEAD = """\
# Settings

Every setting: its name in the environment, its path in `config.yml`, what it does, its default and its limits.
[Configuration](configuration.md) says where values come from. `snapshot-processor settings` prints this page, and
`make docs` writes it.

`n` is a number from 1 on. A list is written with commas in the environment, or as JSON. With `_FILE` behind it, each
name says which file holds the value.
"""

LISTS = {each.location: each for each in numbered_lists(Settings)}
"""Lists of sections, whose entries are numbered in the environment."""


class Line(NamedTuple):
    """One row of a table, as Markdown."""

    names: str
    path: str
    description: str
    default: str = ""
    limits: str = ""


def reference() -> str:
    """A table for each section, and one for each kind of camera."""
    return "\n".join((HEAD, *(_table(title, text, lines) for title, text, lines in _sections())))


def _sections() -> Iterator[tuple[str, str, list[Line]]]:
    """Title, a sentence, and the settings."""
    sections: dict[str, list[Line]] = {}
    for variable in settings_of(Settings):
        has_own = len(variable.location) > 1 or variable.location in LISTS
        section = str(variable.location[0]) if has_own else ""
        sections.setdefault(section, []).extend(_lines(variable))
    yield "The service", "Outside all sections.", sections.pop("")
    yield from _cameras()
    inputs = [row for row in environment_table() if row[0].startswith("INPUT_n_")]
    yield (
        "Sensors",
        "An input of type `Camera` is a camera, and has all names of one: `INPUT_n_ADDRESS` and so on.",
        [Line(f"`{name}`", f"`{path}`", what, "", "not empty") for name, path, what, _ in inputs],
    )
    for section, lines in sections.items():
        yield f"`{section}`", Settings.model_fields[section].description or "", lines
    others = [Line(f"`{name}`", "", what) for name, what in OTHERS.items()]
    yield "Only in the environment", "They have no place in `config.yml`.", others
    yield "AWS", "boto3 reads these itself.", [Line(f"`{name}`", "", what) for name, what in AWS.items()]


def _cameras() -> Iterator[tuple[str, str, list[Line]]]:
    """What all cameras have, then what each set of kinds shares."""
    kinds_with: dict[Line, tuple[str, ...]] = {}
    for kind in CAMERA_KINDS.names:
        for variable in variables(CAMERA_KINDS.load(kind), ("cameras[]",), prefix="OUTPUT_n"):
            for line in _lines(variable, CAMERA_KINDS):
                kinds_with[line] = (*kinds_with.get(line, ()), kind)
    for kinds in sorted(dict.fromkeys(kinds_with.values()), key=len, reverse=True):
        of_all = kinds == CAMERA_KINDS.names
        title = "Cameras" if of_all else f"Cameras of kind {_listed(kinds, 'and')}"
        text = "Every camera has these." if of_all else "Besides those of every camera."
        yield title, text, [line for line, having in kinds_with.items() if having == kinds]


def _lines(variable: Variable, kinds: KindField | None = None) -> Iterator[Line]:
    """A setting; after a list of sections, what each of those has."""
    field, section = variable.field, Settings.model_fields.get(str(variable.location[0]))
    kinds = kinds or (kinds_around(Settings, variable.location) if section else None)
    _, path, description, default = row_of(variable, kinds)
    names = "<br>".join(f"`{name}`" for name in (variable.name, *variable.aliases))
    if kinds and section and len(variable.location) > 1:  # a section whose kind decides what it has
        having = [kind for kind in kinds.names if variable.location[-1] in kinds.load(kind).model_fields]
        if len(having) < len(kinds.names):
            description += f" Only for {_listed([kind for kind in having if kind != 'auto'], 'and')}."
    limits = _limits(field)
    if kinds and variable.location[-1] == "kind":
        default, limits = kinds.default, ""
    yield Line(names, f"`{path}`", description, f"`{default}`" if default else "", limits)
    if variable.location in LISTS:
        yield from _entry(LISTS[variable.location])


def _entry(each: NumberedList) -> Iterator[Line]:
    """What an entry of a list of sections has; its names in the environment are numbered."""
    kinds = kinds_of(each.field)
    for variable in each.variables("n", (f"{dotted(each.location)}[]",)):
        name, path, description, default = row_of(variable, kinds)
        having = (
            [kind for kind in kinds.names if variable.location[1] in kinds.load(kind).model_fields] if kinds else []
        )
        if kinds and len(having) < len(kinds.names):
            description += f" Only for {_listed(having, 'and')}."
        is_kind = kinds and variable.location[1] == "kind"
        limits = "" if is_kind else _limits(variable.field)
        yield Line(f"`{name}`", f"`{path}`", description, f"`{default}`" if default and not is_kind else "", limits)


def _limits(field: FieldInfo) -> str:
    """What a value may be; empty where its type says enough."""
    if is_list(field):
        return "list"
    schema = _schema(field.rebuild_annotation())
    schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    if schema.get("type") == "boolean":
        return "`true` or `false`"
    if "enum" in schema:
        return _listed([value for value in schema["enum"] if value not in ("", None)], "or")
    low = f"{schema['minimum']:.10g}" if "minimum" in schema else ""
    low = f"above {schema['exclusiveMinimum']:.10g}" if "exclusiveMinimum" in schema else low
    if "maximum" in schema:
        return f"{low}{', up' if low.startswith('above') else ''} to {schema['maximum']:.10g}"
    if low:
        return low if low.startswith("above") else f"{low} or more"
    if "pattern" in schema:
        return f"`{schema['pattern']}`"
    longest = f"up to {schema['maxLength']} characters" if "maxLength" in schema else ""
    return ", ".join(part for part in ("not empty" if schema.get("minLength") else "", longest) if part)


@cache
def _schema(annotation: Any) -> dict[str, Any]:
    """Of a value; settings of the same type and limits share it."""
    return TypeAdapter(annotation).json_schema()


def _listed(words: Iterable[str], last: str) -> str:
    *first, final = (f"`{word}`" for word in words)
    return f"{', '.join(first)} {last} {final}" if first else final


def _table(title: str, text: str, lines: Iterable[Line]) -> str:
    rows = ("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)
    head = ("| In the environment | In `config.yml` | What it does | Default | Limits |", "|---|---|---|---|---|")
    return "\n".join((f"## {title}", "", text, "", *head, *rows, ""))
