"""Adapters by kind: loaded when asked for, and each entry of a list by its own model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ValidationError

from app import archives, cameras, detectors, publishers, sources
from pylib.settings.kinds import Named, Registry, list_of

ADAPTER = """
from pydantic import BaseModel

class {name}Settings(BaseModel):
    '''{name}.'''
    size: int = 1

class {name}:
    Settings = {name}Settings
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[Any]:
    """Two adapters that nobody has imported yet."""
    for name in ("Big", "Small"):
        (tmp_path / f"adapter_{name.lower()}.py").write_text(ADAPTER.format(name=name), encoding="utf-8")
        monkeypatch.delitem(sys.modules, f"adapter_{name.lower()}", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    return Registry({"big": "adapter_big:Big", "small": "adapter_small:Small"})


def test_an_adapter_is_imported_when_it_is_asked_for_and_not_before(registry: Registry[Any]) -> None:
    assert list(registry) == ["big", "small"]
    assert registry.load("big").__name__ == "Big"
    assert "adapter_small" not in sys.modules
    with pytest.raises(KeyError):
        registry.load("medium")


@pytest.mark.parametrize("kinds", [archives.KINDS, cameras.KINDS, detectors.KINDS, publishers.KINDS, sources.KINDS])
def test_every_row_of_ours_leads_to_an_adapter_with_settings(kinds: Registry[Any]) -> None:
    for kind in kinds:
        assert issubclass(kinds.load(kind).Settings, BaseModel)


def entries(registry: Registry[Any], *values: dict[str, Any]) -> list[Any]:
    kinds = list_of(registry)

    class Holder(BaseModel):
        entries: list[Annotated[BaseModel, kinds]]

    return Holder(entries=list(values)).entries  # type: ignore[arg-type]


def test_an_entry_is_of_its_kind_and_called_by_its_name_or_else_its_kind(registry: Registry[Any]) -> None:
    first, second = entries(registry, {"kind": " Big ", "size": 3}, {"kind": "small", "name": "attic"})
    assert (first.kind, first.title, first.size) == ("big", "big", 3)
    assert (second.kind, second.title, second.size) == ("small", "attic", 1)


@pytest.mark.parametrize(
    "entry",
    [{}, {"name": "attic"}, {"kind": "medium"}, {"kind": "big", "name": "Attic!"}, {"kind": "big", "size": "x"}],
)
def test_an_entry_says_which_kind_it_is_and_what_fits_it(registry: Registry[Any], entry: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        entries(registry, entry)


@pytest.mark.parametrize("kinds", [archives.KINDS, publishers.KINDS, sources.KINDS])
def test_no_setting_of_an_adapter_is_called_as_what_an_entry_of_a_list_has_anyway(kinds: Registry[Any]) -> None:
    taken = Named.model_fields.keys()
    assert [kind for kind in kinds if taken & kinds.load(kind).Settings.model_fields.keys()] == []
