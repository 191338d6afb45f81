"""Lists of sections from numbered variables: `PUBLISHER_1_KIND`, `PUBLISHER_2_KIND`, merged with those of the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pylib.settings.draft import SettingsBuilder
from pylib.settings.variables import Variable, is_list, kinds_of, models_of, variables
from pylib.settings.yaml_file import Location, dotted

BY_DEVICES = ("cameras", "inputs", "outputs")
"""Lists that `devices.py` fills."""


@dataclass(frozen=True)
class NumberedList:
    """A setting that is a list of sections, and the settings of its entries."""

    location: Location
    word: str
    """`PUBLISHER` of `publishers`, `FTP_LOGIN` of `ftp.logins`."""
    field: FieldInfo

    @cached_property
    def entry(self) -> tuple[Variable, ...]:
        """The settings of an entry, whatever its kind, which loads all kinds; their names begin behind the number."""
        found: dict[str, Variable] = {}
        for section in models_of(self.field):
            for variable in variables(section):
                found.setdefault(variable.name, variable)
        return tuple(found.values())

    def variables(self, number: int | str, at: Location) -> Iterator[Variable]:
        """The variables of the entry with this number."""
        for variable in self.entry:
            name = f"{self.word}_{number}_{variable.name}"
            yield replace(variable, name=name, location=(*at, *variable.location))

    def key(self, entry: dict[str, Any]) -> object:
        """What distinguishes entries: its name, else its kind; without kinds its first setting."""
        if kinds_of(self.field):
            return _name(entry)
        return entry.get(str(self.entry[0].location[0]))


def numbered_lists(model: type[BaseModel], at: Location = ()) -> Iterator[NumberedList]:
    """Every list of sections in a model, at any depth, but those of devices."""
    for key, field in model.model_fields.items():
        location = (*at, key)
        if location[0] in BY_DEVICES:
            continue
        if kinds_of(field) is None and not (sections := models_of(field)):
            continue
        if is_list(field):
            yield NumberedList(location, "_".join(map(str, location)).upper().removesuffix("S"), field)
        elif kinds_of(field) is None:
            yield from numbered_lists(sections[0], location)


def merge_numbered(builder: SettingsBuilder, model: type[BaseModel]) -> None:
    """Add the entries of numbered variables to each list of sections, or override the entry of the same name."""
    for each in numbered_lists(model):
        numbers = _numbers(builder, each)
        if not numbers:
            continue
        if builder.at(each.location) is None:
            builder.put(each.location, [], f"environment: {each.word}_n")
        entries = builder.at(each.location)
        if not isinstance(entries, list):
            continue  # what is no list in the file is a problem of its own
        by_key = {str(each.key(entry)): index for index, entry in enumerate(entries) if isinstance(entry, dict)}
        for number in numbers:
            _merge(builder, each, number, entries, by_key)


def _merge(
    builder: SettingsBuilder, each: NumberedList, number: int, entries: list[Any], by_key: dict[str, int]
) -> None:
    given = [(variable, builder.get(variable.name)) for variable in each.variables(number, ())]
    values = {str(variable.location[0]): found.value.strip() for variable, found in given if found}
    index = by_key.get(str(each.key(values)), len(entries))
    if index == len(entries):
        entries.append({})
    at = (*each.location, index)
    builder.name_group(at, f"{each.word}_{number}")
    builder.overlay(each.variables(number, at))


def _name(entry: dict[str, Any]) -> object:
    """An adapter's name, else its kind as the model reads it."""
    kind = entry.get("kind")
    return entry.get("name") or (kind.strip().lower() if isinstance(kind, str) else kind)


def _numbers(builder: SettingsBuilder, each: NumberedList) -> list[int]:
    pattern = re.compile(rf"{each.word}_([1-9]\d*)_(.+)")
    matches = [match for name in builder.environment.names() if (match := pattern.fullmatch(name))]
    if not matches:
        return []
    names = {variable.name for variable in each.entry}
    return sorted({int(match[1]) for match in matches if match[2] in names and builder.get(match[0])})


def refuse_doubles(builder: SettingsBuilder, lists: Collection[str], *, taken: Collection[str]) -> None:
    """A name that two entries of these lists have, or that is taken already, is a problem."""
    places = dict.fromkeys(taken, "the setting of its own")
    for name in lists:
        entries = builder.values.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            key = _name(entry) if isinstance(entry, dict) else None
            if key in places:
                builder.problem((name, index), f"{key!r} is what {places[key]} is called already: give it a `name`")
            elif isinstance(key, str):
                places[key] = dotted((name, index))


def described(model: type[BaseModel]) -> Iterator[tuple[Variable, NumberedList]]:
    """Every numbered variable, with `n` for the number."""
    for each in numbered_lists(model):
        for variable in each.variables("n", (f"{dotted(each.location)}[]",)):
            yield variable, each
