"""A YAML file read strictly, that knows on which line each value stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.resolver import Resolver

from pylib.errors import Permanent

Location = tuple[str | int, ...]
"""The keys and list positions that lead to a value: `("cameras", 2, "timeout")`."""

MOST_BYTES = 4_000_000
MOST_NODES = 400_000
"""Keys and values, each counted again wherever `*` and `<<` repeat it."""

_QUOTED = re.compile(r"'([^']*)'")
_HINTS = (
    (r"'\\t'", "; indent with spaces, not tabs"),
    (r"alias|tag|start any token|anchor", "; a value that starts with * & ! % @ or ` must be in quotes"),
    (
        r"mapping values",
        "; a value that holds ': ' must be in quotes, lines of a section start in one column",
    ),
)
"""A parser's error -> its most likely cause."""


class YamlError(Permanent):
    """A file that cannot be read or is no YAML mapping; the detail is a whole line, with the place."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The content of a YAML file."""

    path: Path
    values: dict[str, Any]
    _root: yaml.Node | None = field(default=None, repr=False)

    def where(self, location: Location) -> str:
        """The place for an error text: `config.yml: cameras[2].timeout (line 14)`."""
        if not location:
            return str(self.path)
        line = self._line(location)
        return f"{self.path}: {dotted(location)}" + (f" (line {line})" if line else "")

    def _line(self, location: Location) -> int:
        node, line = self._root, 0
        for part in location:
            node = _child(node, part)
            if node is None:
                break
            line = node.start_mark.line + 1
        return line


def dotted(location: Location) -> str:
    """`cameras[2].timeout`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML mapping; an empty file is an empty mapping.

    Raises `YamlError`, which never quotes more than one character of the file: any line may hold a password.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise YamlError("too_large", f"{path}: has more than {MOST_BYTES // 1_000_000} MB")
        loader, root = _composed(data.decode("utf-8-sig"))
        if root is not None:
            _count(root, {})
        values = {} if root is None else loader.construct_document(root)
    except OSError as error:
        raise YamlError("unreadable", f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise YamlError("not_text", f"{path}: is not UTF-8 text, from byte {error.start} on") from None
    except yaml.MarkedYAMLError as error:
        raise YamlError("syntax", f"{path}: {_sentence(error)}") from None
    except yaml.YAMLError:
        raise YamlError("syntax", f"{path}: holds characters that YAML does not allow") from None
    except RecursionError:
        raise YamlError("syntax", f"{path}: is nested too deeply") from None
    if values is not None and not isinstance(values, dict):
        raise YamlError("no_mapping", f"{path}: must consist of lines such as `key: value`")
    return YamlFile(path, values or {}, root)


class _Refusal(yaml.MarkedYAMLError):
    """Something that YAML allows and we do not, or a value that its type does not allow."""


class _Strict(SafeConstructor):
    """Also refuses a key that is given twice and keys that are not text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        merges = False
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                merges = True
                continue
            if key.tag != "tag:yaml.org,2002:str":
                problem = "a key that is not text: put it in quotes"
                raise _Refusal(problem=problem, problem_mark=key.start_mark)
            if key.value in seen:
                # YAML would silently take the last one.
                problem = f"{key.value} stands here again, it was given in line {seen[key.value]}"
                raise _Refusal(problem=problem, problem_mark=key.start_mark)
            seen[key.value] = key.start_mark.line + 1
        if merges:
            return super().construct_mapping(node, deep=deep)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except ValueError:  # 2024-13-45 looks like a date
            problem = "a value that looks like a date or number and is none: put it in quotes"
            raise _Refusal(problem=problem, problem_mark=node.start_mark) from None


class _Loader(_Strict, yaml.SafeLoader):
    """All in Python: its errors are those that people get."""


class _FastLoader(Composer, CParser, _Strict, Resolver):
    """Only the parser in C, which takes a sixth of the time. Its composer would overflow the stack where a file is
    nested deeply, and end the process; the one in Python raises RecursionError."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)


def _composed(text: str) -> tuple[_Loader | _FastLoader, yaml.Node | None]:
    """The file's nodes, and what makes values of them."""
    loader: _Loader | _FastLoader = _FastLoader(text)
    try:
        return loader, loader.get_single_node()
    except yaml.YAMLError:
        loader = _Loader(text)
        return loader, loader.get_single_node()


def _count(node: yaml.Node, counted: dict[yaml.Node, int]) -> int:
    """Nodes of a tree in which each alias is written out: a few lines can stand for more than the memory holds."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if node not in counted:
        counted[node] = MOST_NODES  # until it is known: what holds itself has no end
        children = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        counted[node] = 1 + sum(_count(child, counted) for child in children)
        if counted[node] > MOST_NODES:
            problem = f"with all that `*` and `<<` repeat, it has more than {MOST_NODES} keys and values"
            raise _Refusal(problem=problem, problem_mark=node.start_mark)
    return counted[node]


def _sentence(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    problem = error.problem or error.context or "not YAML"
    if isinstance(error, _Refusal):
        return f"{place}{problem}"
    hint = next((hint for pattern, hint in _HINTS if re.search(pattern, problem)), "")
    return place + _QUOTED.sub(_without_content, problem).removeprefix("but ") + hint


def _without_content(match: re.Match[str]) -> str:
    harmless = len(match[1]) <= 2 or match[1].startswith("<")
    return match[0] if harmless else "..."


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: yaml.Node = node.value[part]
        return item
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None
