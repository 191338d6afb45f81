"""Adapters by kind: a registry that imports a class on demand, and settings whose model depends on the kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, create_model
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

T = TypeVar("T")


class Registry(dict[str, str], Generic[T]):
    """Kind -> `module:class`. A new adapter is one file and one row here."""

    def load(self, kind: str) -> T:
        """The class of a kind; its module is imported here and not before."""
        module, name = self[kind].split(":")
        # Asking the import system takes longer than validating the entry that names the kind.
        found: T = getattr(sys.modules.get(module) or import_module(module), name)
        return found

    def title(self, name: str) -> str:
        """What people call a kind; a name that is no kind is what they call it."""
        return str(getattr(self.load(name), "title", name)) if name in self else name


class Named(BaseModel):
    """The settings of an entry in a list of adapters, beside its adapter's own."""

    kind: str
    name: str = Field(
        default="",
        max_length=50,
        pattern="^[a-z0-9_-]*$",
        description="Its name in logs, metrics and the journal: its kind unless set. Two of one kind need one each.",
    )

    @property
    def title(self) -> str:
        """Its name, or its kind where it has none."""
        return self.name or self.kind


@cache
def named(kind: str, settings: type[BaseModel]) -> type[BaseModel]:
    """The model of an entry of this kind in a list: the adapter's settings with `kind` and `name`."""
    return create_model(
        f"{kind.title().replace('_', '')}Entry",
        __base__=(settings, Named),
        __doc__=settings.__doc__,
        kind=(Literal[kind], kind),  # type: ignore[arg-type]
    )


def list_of(registry: Registry[Any]) -> KindField:
    """The kinds of a list of adapters: each entry names its kind, and may have a name."""
    return KindField(tuple(registry), lambda kind: named(kind, registry.load(kind).Settings), default="")


@dataclass(frozen=True)
class KindField:
    """Annotates a field: `Annotated[CameraSettings, Kinds(("foscam", "still"), load=..., default="foscam")]`.

    Unlike pydantic's discriminated union it needs no model before a value of its kind turns up, and a
    value that names no kind is of the default one.
    """

    names: tuple[str, ...]
    load: Callable[[str], type[BaseModel]]
    """The model of a kind; its `kind` field is fixed to that name."""
    default: str
    """Of a value that names no kind; empty where each has to name one."""

    def kind(self, value: object) -> object:
        """The kind that a mapping names, in lower case; any other value as it is."""
        given = value.get("kind") if isinstance(value, Mapping) else None
        if given is None:
            return self.default
        return given.strip().lower() if isinstance(given, str) else given

    def model(self, value: object) -> type[BaseModel] | None:
        """The model for a mapping; None for an unknown kind."""
        kind = self.kind(value)
        return self.load(kind) if isinstance(kind, str) and kind in self.names else None

    def _validate(self, value: object) -> BaseModel:
        if not isinstance(value, Mapping):
            raise PydanticCustomError("model_type", "Input should be a section")
        model = self.model(value)
        if model is None:
            unknown = PydanticCustomError("unknown_kind", "Unknown kind", {"expected": ", ".join(self.names)})
            details = InitErrorDetails(type=unknown, loc=("kind",), input=value.get("kind"))
            raise ValidationError.from_exception_data("kind", [details])
        return model.model_validate({**value, "kind": self.kind(value)})

    def __get_pydantic_core_schema__(self, source: type[BaseModel], _: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: object) -> BaseModel:
            return value if isinstance(value, source) else self._validate(value)

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        members = []
        for name in self.names:
            member = handler(self.load(name).__pydantic_core_schema__)
            if name != self.default:
                # Every model has a default for its kind; without this an entry that names none would fit all.
                definition: dict[str, Any] = handler.resolve_ref_schema(member)
                definition["required"] = sorted({*definition.get("required", []), "kind"})
            members.append(member)
        return {"oneOf": members}
