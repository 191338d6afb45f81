"""Builds settings from a YAML file and the environment, and reports all errors at once.

The environment (with secret files and a vault, see `Environment`) goes before the file; a list is written
there with commas or as JSON. An empty variable counts as not set, and so does a key in the file without a value.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pylib.errors import Permanent
from pylib.settings.credentials import CredentialError, Environment, Found
from pylib.settings.error_texts import error_text
from pylib.settings.variables import Variable, fields_at, is_list, is_secret, kinds_with, model_chooser, step
from pylib.settings.yaml_file import Location, YamlFile, dotted

_SHORTEST = 6

Model = TypeVar("Model", bound=BaseModel)


class ConfigError(Permanent):
    """The configuration cannot be used.

    `problems` has one line for each error, `warnings` one for each likely typing error.
    """

    def __init__(self, problems: Iterable[str], warnings: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        super().__init__("config", "; ".join(self.problems))


class SettingsBuilder:
    """Settings being built: values from all sources, the source of each, and the errors in them."""

    def __init__(self, environment: Environment, file: YamlFile | None = None) -> None:
        self.environment = environment
        self.values: dict[str, Any] = _copied(file.values) if file else {}
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._file = file
        self._places: dict[Location, str] = {}
        self._groups: dict[Location, str] = {}

    def get(self, *names: str) -> Found | None:
        """What the environment has under one of these names; a file that cannot be read is a problem."""
        try:
            return self.environment.get(*names)
        except CredentialError as error:
            if error.detail not in self.problems:
                self.problems.append(error.detail)
            return None

    def at(self, location: Location) -> Any:
        """The value there; None where there is nothing."""
        value: Any = self.values
        for part in location:
            value = step(value, part)
        return value

    def put(self, location: Location, value: Any, where: str) -> None:
        """Set a value; where the file has no section for it, the file's own error is reported instead."""
        parent: Any = self.values
        for part in location[:-1]:
            if isinstance(parent, dict) and parent.get(part) is None:
                parent[part] = {}
            parent = step(parent, part)
        if isinstance(parent, dict):
            parent[location[-1]] = value
            self._places[location] = where

    @property
    def places(self) -> Mapping[Location, str]:
        """Where the values come from that are not the file's."""
        return dict(self._places)

    def came_from_environment(self, location: Location) -> bool:
        """Whether `put` set this very value."""
        return location in self._places

    def name_group(self, location: Location, prefix: str) -> None:
        """Declare that variables of this prefix (`OUTPUT_1`) give what is missing below a location."""
        self._groups[location] = prefix

    def overlay(self, wanted: Iterable[Variable]) -> None:
        """Take the values of these settings from the environment, where it has any."""
        for variable in wanted:
            found = self.get(variable.name, *variable.aliases)
            if found is not None:
                self.put(variable.location, self._parsed(variable.field, found), found.where)

    def keep_own(self, model: type[BaseModel], at: Location) -> None:
        """Drop the file's settings of another kind, where the environment has chosen this model's."""
        section = self.at(at)
        if not isinstance(section, dict) or not self.came_from_environment((*at, "kind")):
            return
        for key in [key for key in section if key not in model.model_fields]:
            if not self.came_from_environment((*at, key)):
                del section[key]

    def problem(self, location: Location, text: str) -> None:
        """Record what is wrong with a value."""
        self.problems.append(f"{self.where(location)}: {text}")

    def misplaced(self, location: Location, text: str) -> None:
        """Record that something stands in the wrong place, and take it away: it is wrong in no other way then."""
        self.problem(location, text)
        parent = self.at(location[:-1])
        if isinstance(parent, dict):
            parent.pop(location[-1], None)

    def where(self, location: Location) -> str:
        """Where a value is or would have to be: `environment: WEB_PORT`, `config.yml: web.port (line 3)`."""
        for length in range(len(location), 0, -1):
            head, tail = location[:length], location[length:]
            if head in self._places:
                return self._places[head] + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in tail)
            if head in self._groups:
                return f"environment: {'_'.join((self._groups[head], *(str(part).upper() for part in tail)))}"
        return self._file.where(location) if self._file else f"settings: {dotted(location)}"

    def warn_of_typos(self, known: Iterable[str]) -> None:
        """Warn of names in the environment that are close to a known one; `_n_` in those is any number."""
        known = frozenset(known)
        for name in sorted({*self.environment.variables, *self.environment.vault}):
            guess = _meant(name, known)
            if guess and guess not in self.environment.variables:
                self.warnings.append(f"environment: {name} is not a setting; did you mean {guess}?")

    def build(self, model: type[Model]) -> Model:
        """The settings. Raises `ConfigError` with every problem found until now."""
        _drop_nulls(model, self.values)
        try:
            settings = model.model_validate(self.values)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                self._complain(model, details)
        if self.problems:
            raise ConfigError(self.problems, self.warnings)
        return settings

    def _complain(self, model: type[BaseModel], details: ErrorDetails) -> None:
        location = details["loc"]
        fields = fields_at(model, self.values, location[:-1])
        field = fields.get(str(location[-1])) if location else None
        owners = kinds_with(model, self.values, location)
        secret = field is not None and is_secret(field)
        self.problem(location, error_text(details, known=fields, owners=owners, secret=secret))

    def _parsed(self, field: FieldInfo, found: Found) -> Any:
        if is_secret(field):
            return found.value
        text = found.value.strip()
        if not is_list(field):
            return text
        if not text.startswith("["):
            return [part.strip() for part in text.split(",") if part.strip()]
        try:
            return json.loads(text)
        except ValueError:
            self.problems.append(f"{found.where}: begins like a JSON list and is none")
            return []


def _copied(value: Any) -> Any:
    """A tree of its own, as `copy.deepcopy` makes one in four times the time."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _drop_nulls(model: type[BaseModel], values: dict[str, Any]) -> None:
    """`web:` with nothing after it means the defaults; under an unknown name it stays, to be reported."""
    for key, value in list(values.items()):
        field = model.model_fields.get(key)
        if field is None:
            continue
        if value is None:
            del values[key]
        sections = [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, dict)]
        if sections:
            model_of_kind = model_chooser(field)
            for part in sections:
                if section := model_of_kind(part):
                    _drop_nulls(section, part)


@lru_cache(maxsize=1000)  # who changes cameras on a page has the same names looked at again and again
def _meant(name: str, known: frozenset[str]) -> str:
    """The known name that this one may be a misspelling of; empty if it is known, or like none."""
    number = re.search(r"_([1-9]\d*)_", name)
    word = name.replace(number[0], "_n_", 1) if number else name
    suffix = "" if word in known or not word.endswith("_FILE") else "_FILE"
    word = word.removesuffix(suffix)
    if word in known or len(word) < _SHORTEST:
        return ""
    # One slip in eight letters is still seen; with less likeness or length other programs' names come in.
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.85)
    return close[0].replace("_n_", number[0] if number else "_n_") + suffix if close else ""
