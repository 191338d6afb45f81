"""Changes to the entries of a YAML file that people wrote: every line that a change does not concern stays as it is.

A list's entries are mappings: cameras, logins. Each function takes the file's text and gives the changed one, which
then says what it should, and nothing else; `YamlUneditable` where that cannot be had, as in the midst of `{...}`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import yaml

from pylib.errors import Permanent
from pylib.settings.yaml_file import Location, dotted

Edit = tuple[int, int, str]
"""Characters from the first to before the second, and what takes their place."""
_NO_BREAKS = 1_000_000


class YamlUneditable(Permanent):
    """The text is written in a way that cannot be changed by a program without losing something."""


def appended(text: str, to: Location, entry: Mapping[str, Any]) -> str:
    """With one more entry in this list, which is made where there is none. Raises `YamlUneditable`."""
    wanted = _wanted(text, to[:-1])
    section = _at(wanted, to[:-1])
    section[to[-1]] = [*(section.get(to[-1]) or []), dict(entry)]
    return _checked(_edited(text, [_append(text, to, entry)]), wanted, to)


def changed(text: str, at: Location, values: Mapping[str, Any]) -> str:
    """With an entry that says just this. Raises `YamlUneditable`."""
    wanted = _wanted(text, at)
    old = _at(wanted, at)
    node, own = _node(text, at), copy.deepcopy(old)
    old.clear()
    old.update(values)
    if node.flow_style:
        edits = [(node.start_mark.index, node.end_mark.index, _flow(dict(values)))]
    else:
        edits = list(_changes(text, node, own, values))
    return _checked(_edited(text, edits), wanted, at)


def removed(text: str, at: Location) -> str:
    """Without this entry. Raises `YamlUneditable`."""
    wanted, index = _wanted(text, at[:-1]), int(at[-1])
    entries = _at(wanted, at[:-1])
    del entries[index]
    node = _node(text, at[:-1])
    if node.flow_style:
        edit = (node.start_mark.index, node.end_mark.index, _flow(entries))
    else:
        before = _end(text, node.value[index - 1]) if index else node.start_mark.index
        dash = text.rfind("-", before, node.value[index].start_mark.index + 1)
        edit = (_line(text, dash), _end(text, node.value[index]), "")
        if not entries:  # `cameras:` and nothing more is the same as `cameras: []`
            _at(wanted, at[:-2])[at[-2]] = None
    return _checked(_edited(text, [edit]), wanted, at)


def as_text(values: Mapping[str, Any]) -> str:
    """Such a mapping as a person would write it."""
    return _block(dict(values), 0)


def _append(text: str, to: Location, entry: Mapping[str, Any]) -> Edit:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    node, missing = root, list(to)
    while missing and (child := _child(node, missing[0])) is not None:
        node, missing = child, missing[1:]
    if isinstance(node, yaml.SequenceNode) and not node.value and len(to) == 1:  # `cameras: []`
        begin = len(text[: node.start_mark.index].rstrip(" "))
        return begin, node.end_mark.index, f"\n{_block([dict(entry)], 2).rstrip()}"
    if isinstance(node, yaml.SequenceNode) and node.flow_style:
        entries = [*yaml.safe_load(text[node.start_mark.index : node.end_mark.index]), dict(entry)]
        return node.start_mark.index, node.end_mark.index, _flow(entries)
    if isinstance(node, yaml.SequenceNode):
        end = _end(text, node.value[-1], deeper_than=node.start_mark.column)
        return end, end, _block([dict(entry)], node.start_mark.column)
    value: Any = [dict(entry)]
    for key in reversed(missing):
        value = {key: value}
    if root is None or (node is root and isinstance(node, yaml.MappingNode)):
        return len(text), len(text), ("\n" if text.strip() else "") + _block(value, 0)
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        end = _end(text, node)
        return end, end, _block(value, node.start_mark.column)
    if isinstance(node, yaml.ScalarNode) and not node.value:  # `cameras:`, and nothing behind it
        end = _line_end(text, node.start_mark.index)
        return end, end, _block(value, _indent(text, node.start_mark.index) + 2)
    raise YamlUneditable("uneditable", f"{dotted(to)} is written in a way that only a person can change")


def _changes(text: str, node: yaml.MappingNode, old: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
    pairs = {key.value: (key, value) for key, value in node.value}
    starts = [key.start_mark.index for key, _ in node.value]
    for name, (key, value) in pairs.items():
        begin, end = key.start_mark.index, _end(text, value)
        if name not in new and name in old:
            at = starts.index(begin)
            if at == 0 and len(starts) > 1:  # behind the dash: the next one takes its place
                yield begin, starts[1], ""
            else:
                yield _line(text, begin), end, ""
        elif name in new and new[name] != old.get(name):
            if _on_one_line(value):
                word = _word(new[name])
                blank = " " if text[value.start_mark.index - 1] == ":" else ""
                yield value.start_mark.index, value.end_mark.index, blank + word
            else:
                yield begin, end, f"{_word(name)}: {_word(new[name])}\n"
    more = {name: value for name, value in new.items() if name not in pairs and value != old.get(name)}
    if more:
        end = _end(text, node)
        yield end, end, _block(more, node.value[0][0].start_mark.column)


def _on_one_line(value: Any) -> bool:
    """Whether only the value has to go, and not the whole lines, with what is written behind it."""
    return value.style not in ("|", ">") if isinstance(value, yaml.ScalarNode) else bool(value.flow_style)


def _edited(text: str, edits: list[Edit]) -> str:
    for begin, end, piece in sorted(edits, reverse=True):
        if begin == end and begin and text[begin - 1] != "\n":
            piece = "\n" + piece  # behind a last line without an end
        text = text[:begin] + piece + text[end:]
    return text


def _checked(text: str, wanted: dict[str, Any], at: Location) -> str:
    try:
        if yaml.safe_load(text) == wanted:
            return text
    except yaml.YAMLError:
        pass
    raise YamlUneditable("uneditable", f"{dotted(at)} is written in a way that only a person can change")


def _wanted(text: str, at: Location) -> dict[str, Any]:
    """What the text says, to be changed at this place; sections that there are not are made."""
    values: Any = _unshared(yaml.safe_load(text) or {})
    section = values
    for part in at:
        if isinstance(section, dict) and section.get(part) is None:
            section[part] = {}
        section = section[part]
    return dict(values)


def _unshared(value: Any) -> Any:
    """A copy in which what `*` and `<<` repeat is an object of its own, of which one can be changed alone."""
    if isinstance(value, dict):
        return {name: _unshared(inner) for name, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


def _at(values: Any, at: Location) -> Any:
    for part in at:
        values = values[part]
    return values


def _node(text: str, at: Location) -> Any:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for part in at:
        node = _child(node, part)
    return node


def _child(node: Any, part: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part]
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None


def _end(text: str, node: Any, *, deeper_than: int | None = None) -> int:
    """The beginning of the line behind a node's last one; comments below it are its own if they stand deeper."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    at: int = node.end_mark.index
    if not (isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")):
        at = _line_end(text, at)
    while deeper_than is not None and text[at:].lstrip(" ").startswith("#") and _indent(text, at) > deeper_than:
        at = _line_end(text, at)
    return at


def _indent(text: str, index: int) -> int:
    line = text[_line(text, index) : _line_end(text, index)]
    return len(line) - len(line.lstrip(" "))


def _line(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _flow(value: Any) -> str:
    return _dumped(value, flow=True)


def _word(value: Any) -> str:
    """A value behind its key in a mapping over several lines, where fewer characters need quotes."""
    return _flow(value) if isinstance(value, dict | list) else _dumped({"k": value}, flow=False).removeprefix("k: ")


def _dumped(value: Any, *, flow: bool) -> str:
    dumped = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, sort_keys=False, width=_NO_BREAKS)
    return dumped.removesuffix("...\n").strip()


def _block(value: Any, column: int) -> str:
    """A mapping or a list of mappings over several lines; what is within those in `{...}` and `[...]`."""
    return "".join(f"{' ' * column}{line}\n" for line in _lines(value))


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        entries = [_lines(entry) for entry in value]
        return [f"{'  ' if number else '- '}{line}" for entry in entries for number, line in enumerate(entry)]
    lines: list[str] = []
    for name, inner in value.items():
        if _has_entries(inner):
            lines += [f"{_word(name)}:", *(f"  {line}" for line in _lines(inner))]
        else:
            lines.append(f"{_word(name)}: {_word(inner)}")
    return lines


def _has_entries(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_entries, value.values()))
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) and entry for entry in value)
