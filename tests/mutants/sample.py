"""Random mutants of the sources, each with the tests that ought to notice it."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.mutants.changes import applied, changes
from tests.mutants.copies import ROOT, Mutant

MOST_TESTS = 10
"""Test files for one mutant: what imports the module along with much else says little of it."""


def mutants(under: str, seed: int) -> Iterator[Mutant]:
    """Random changes of the files below this path until there are no more; the same ones for the same seed."""
    chance = random.Random(seed)
    sources = {path: changes((ROOT / path).read_bytes()) for path in _sources(under)}
    every = [(path, change) for path, found in sources.items() for change in found]
    chance.shuffle(every)
    for path, change in every:
        source = (ROOT / path).read_bytes()
        line = source.count(b"\n", 0, change.start) + 1
        old = source[change.start : change.end].decode()
        yield Mutant(
            name=f"{path}:{line}\n{_marked('-', old)}\n{_marked('+', change.new.decode() or '(dropped)')}",
            file=path,
            old=source.decode(),
            new=applied(source, change).decode(),
            tests=related(path),
        )


@cache
def related(path: str) -> tuple[str, ...]:
    """The tests of the mirrored path first, then those that import the module, then those whose helpers do.

    Of these the most particular ones come first. Where there are none, those of the mirrored folder or of its name: the
    package stands for what is in it.
    """
    module = _module(path)
    inner = path.removeprefix("app/")
    folder = Path("tests/unit", inner).parent
    mirrored = f"{folder}/test_{Path(inner).stem}.py"
    by_particularity = sorted(_imports(), key=lambda test: len(_imports()[test]))
    importing = [test for test in by_particularity if module in _imports()[test]]
    by_helpers = [test for test in by_particularity if any(module in _helper(name) for name in _imports()[test])]
    own = [mirrored] if mirrored in _imports() else []
    package = folder.with_name(f"test_{folder.name}.py")
    beside = [test for test in _imports() if Path(test).parent == folder or Path(test) == package]
    return tuple(dict.fromkeys([*own, *importing, *by_helpers] or beside))[:MOST_TESTS]


@cache
def _imports() -> dict[str, set[str]]:
    """What each test imports that needs no whole service."""
    return {
        str(path.relative_to(ROOT)): set(_imported(path))
        for folder in ("unit", "integration")
        for path in sorted((ROOT / "tests" / folder).rglob("test_*.py"))
    }


@cache
def _helper(name: str) -> frozenset[str]:
    """What a module of the tests imports; nothing of other modules."""
    path = ROOT / f"{name.replace('.', '/')}.py"
    return frozenset(_imported(path)) if name.startswith("tests.") and path.is_file() else frozenset()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _sources(under: str) -> list[str]:
    paths = sorted(path for package in ("app", "pylib") for path in (ROOT / package).rglob("*.py"))
    return [name for path in paths if (name := str(path.relative_to(ROOT))).startswith(under)]


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _marked(mark: str, text: str) -> str:
    return "\n".join(f"    {mark} {line.strip()}" for line in text.splitlines())
