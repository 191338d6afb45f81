"""Settings, and text that quotes them, for the eyes of strangers: without names, addresses, paths and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from app.naming import slug
from pylib.observability import redaction

SHORTEST = 3
"""Characters of a value that is looked for in text: shorter ones stand in every second word."""
COMMON = frozenset({"camera", "snapshot", "snapshots"})
"""Words that settings hold and that name nobody."""
_ADDRESSES = re.compile(
    r"(?i)\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b"  # mail
    r"|\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b)\d{1,3}(?:\.\d{1,3}){3}\b"  # IPv4, but for those that name nobody
    r"|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}\b"  # IPv6, and hardware addresses
    r"|(?<=://)[^\s/:\"'<>]{1,253}"  # hosts of addresses
)
_KEYS = re.compile(r"\b(?=[\w-]*\d)[A-Za-z0-9_-]{40,}\b")


class Disguise:
    """What one configuration says, and how text is told without it."""

    def __init__(self, settings: BaseModel) -> None:
        self.settings = _shown(settings)
        """The settings that differ from their defaults: numbers, switches and choices as they are, of the rest whether
        they are set."""
        self._words: dict[str, str] = {}
        for where, value in _texts(settings):
            for word in filter(_is_telling, _spellings(value)):
                self._words.setdefault(word.casefold(), f"<{where}>")
        longest_first = sorted(self._words, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if longest_first else None

    def text(self, text: str) -> str:
        """A text in which each value of the settings is the name of its setting, and each address is `<address>`."""
        clean = redaction.text(text)
        if self._pattern is not None:
            clean = self._pattern.sub(lambda match: self._words[match[0].casefold()], clean)
        return _KEYS.sub("<key>", _ADDRESSES.sub("<address>", clean))

    def value(self, value: object) -> object:
        """The same of everything in JSON-able data, the names in it included."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value


def _is_telling(word: str) -> bool:
    return len(word) >= SHORTEST and word.casefold() not in COMMON


def _shown(model: BaseModel) -> dict[str, Any]:
    shown = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if name == "kind" or value != field.get_default(call_default_factory=True):
            shown[name] = _plain(value, field)
    return shown


def _plain(value: object, field: FieldInfo | None) -> object:
    if isinstance(value, BaseModel):
        return _shown(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner, field) for inner in value]
    if isinstance(value, Mapping):
        return f"({len(value)} entries)"
    if isinstance(value, str) and field is not None and _is_choice(field.annotation, value):
        return value
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return "(set)" if text else ""


def _is_choice(annotation: Any, value: str) -> bool:
    """Whether the value is one of those that the setting's type names."""
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    return any(_is_choice(part, value) for part in get_args(annotation))


def _texts(value: object, at: str = "", field: FieldInfo | None = None) -> Iterator[tuple[str, str]]:
    """The name of each setting that holds text of its owner's, and the text."""
    if isinstance(value, BaseModel):
        for name, inner in type(value).model_fields.items():
            own = getattr(value, name)
            if own != inner.get_default(call_default_factory=True):
                yield from _texts(own, f"{at}.{name}".lstrip("."), inner)
        if key := getattr(value, "device_key", ""):
            yield f"{at}.location".lstrip("."), key
    elif isinstance(value, list | tuple | set | frozenset):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{at}[{number}]", field)
    elif isinstance(value, Mapping):
        for number, (name, inner) in enumerate(value.items()):
            yield f"{at}[{number}]", str(name)
            yield from _texts(inner, f"{at}[{number}]", field)
    elif isinstance(value, SecretStr):
        yield at, value.get_secret_value()
    elif isinstance(value, PurePath):
        yield at, str(value)
    elif isinstance(value, str) and not (field is not None and _is_choice(field.annotation, value)):
        yield at, value


def _spellings(value: str) -> Iterator[str]:
    """The text, and what stands for it in logs: as part of a URL, a folder, a metric."""
    yield value
    yield slug(value)
    yield value.replace(" ", "")
    parts = urlsplit(value) if "://" in value else None
    if parts is not None and parts.hostname:
        yield parts.hostname
    elif ":" in value:
        yield value.rpartition(":")[0]  # host:port
