"""The settings of a model, and the name of each in the environment.

The rule: the path of a setting, joined by `_`, in capitals: `web.port` is `WEB_PORT`. A setting may have
historic names besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from pylib.settings.kinds import KindField
from pylib.settings.yaml_file import Location, dotted


@dataclass(frozen=True, slots=True)
class Variable:
    """A setting that has a name in the environment."""

    location: Location
    name: str
    """After the rule."""
    aliases: tuple[str, ...]
    """Historic names, which count as much."""
    field: FieldInfo


def variables(
    model: type[BaseModel],
    at: Location = (),
    *,
    prefix: str = "",
    aliases: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterator[Variable]:
    """Every setting of a model, those of all kinds included. `aliases` has historic names by dotted path."""
    for key, field in model.model_fields.items():
        location, name = (*at, key), f"{prefix}_{key.upper()}".removeprefix("_")
        sections = [] if is_list(field) else models_of(field)
        # Kinds share settings; the first one's description serves for all.
        seen: dict[str, Variable] = {}
        for section in sections:
            for variable in variables(section, location, prefix=name, aliases=aliases):
                seen.setdefault(variable.name, variable)
        yield from seen.values()
        if not sections:
            yield Variable(location, name, (aliases or {}).get(dotted(location), ()), field)


def model_of(field: FieldInfo, value: object) -> type[BaseModel] | None:
    """The model of a field, or of its elements, for this value; None for a plain field or an unknown kind."""
    return model_chooser(field)(value)


def model_chooser(field: FieldInfo) -> Callable[[object], type[BaseModel] | None]:
    """`model_of` for the many values of one field."""
    if kinds := kinds_of(field):
        return kinds.model
    only = next(iter(models_of(field)), None)
    return lambda _value: only


def fields_at(model: type[BaseModel], values: object, location: Location) -> dict[str, FieldInfo]:
    """The fields that a section may have; none when the location leads nowhere."""
    section, _ = _follow(model, values, location)
    return dict(section.model_fields) if section else {}


def kinds_with(model: type[BaseModel], values: object, location: Location) -> list[str]:
    """The kinds that have the setting at a location, if its section is one of several kinds."""
    _, field = _follow(model, values, location[:-1])
    kinds = kinds_of(field) if field else None
    return [name for name in kinds.names if location[-1] in kinds.load(name).model_fields] if kinds else []


def step(values: object, part: str | int) -> Any:
    """One step down a tree of dicts and lists; None where there is nothing."""
    if isinstance(values, dict):
        return values.get(part)
    if isinstance(values, list) and isinstance(part, int) and part < len(values):
        return values[part]
    return None


def is_secret(field: FieldInfo) -> bool:
    """Whether the field's value must never be shown."""
    return any(part is SecretStr for part in _parts(field))


def is_list(field: FieldInfo) -> bool:
    """Whether the field holds several values."""
    return get_origin(field.annotation) in (list, tuple)


def kinds_of(field: FieldInfo) -> KindField | None:
    """The field's `KindField`, its own or its elements'."""
    return next((part for part in _parts(field) if isinstance(part, KindField)), None)


def kinds_around(model: type[BaseModel], location: Location) -> KindField | None:
    """The kinds that the section of a setting may be of; None where there is but one."""
    models, kinds = [model], None
    for part in location[:-1]:
        field = next(each.model_fields[part] for each in models if part in each.model_fields)
        kinds, models = kinds_of(field), models_of(field)
    return kinds


def _follow(
    model: type[BaseModel], values: object, location: Location
) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model of the section at a location, and the field that holds it."""
    section: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in location:
        values = step(values, part)
        if isinstance(part, str):
            field = section.model_fields.get(part) if section else None
        section = model_of(field, values) if field else None
    return section, field


def models_of(field: FieldInfo) -> list[type[BaseModel]]:
    """The models of a section, or of a list's elements: one, or one for each kind; none for a plain field."""
    kinds = kinds_of(field)
    if kinds:
        return [kinds.load(name) for name in kinds.names]
    return [part for part in _parts(field) if isinstance(part, type) and issubclass(part, BaseModel)]


def _parts(field: FieldInfo) -> Iterator[Any]:
    yield from field.metadata
    yield from _unfolded(field.annotation)


def _unfolded(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _unfolded(part)
