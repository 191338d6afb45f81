"""The last line of defence: removes credentials and pictures from whatever is about to leave the process."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

MASK = "***"

_READ_CHARS = 20_480
"""Whatever they are, so many take some 50 ms at the worst."""
_KEEP_CHARS = 16_384
_MAX_ITEMS = 1_000
_MAX_DEPTH = 20

_NAMES = (
    r"password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential"
    r"|device_params|authorization|cookie|(?<![a-z])(?:pass|auth|usr|dsn|sig|signature|ping_url|monitor_key)(?![a-z])"
)
_SECRET_KEY = re.compile(f"(?i){_NAMES}")

# Quantifiers are bounded throughout: a hostile text must not make a log line expensive.
_URL_LOGIN = re.compile(r"""://(?:[^\s/?#@:"'<>]{0,500}:(?!\d{1,5}[/?#])[^\s"'<>]{0,500}@|[^\s/?#@"'<>]{1,500}@)""")
"""`://user:pass@` or `://token@`: to the last @, for raw passwords hold @ and / too; a port is none."""
_BARE_LOGIN = re.compile(r"""(?<![\w/@*.-])[^\s:/@"'<>=,;*()]{1,64}:(?!//)[^\s"'<>]{1,300}@(?=[\w\[])""")
"""`user:pass@host`, the form of `device_params`."""
_ASSIGNED = re.compile(
    rf"""(?i)((?:{_NAMES})[\w-]{{0,24}}(?:["']\s{{0,3}}:|["']?\s{{0,3}}=)\s{{0,3}}b?)"""
    r"""("(?:[^"\\]|\\.){0,2000}"?|'(?:[^'\\]|\\.){0,2000}'?|[^&\s"'<>]{1,2000})"""
)
"""`pwd=x`, `password = 'x'`, `"password": "x"`: query strings, command lines, reprs of dicts, JSON."""
_QUERY_USER = re.compile(r"""(?i)([?&](?:user|username|login)=)[^&\s"'<>]{1,500}""")
_YAML_LINE = re.compile(rf"(?im)^([ \t]{{0,80}}(?:- )?[\w-]{{0,40}}(?:{_NAMES})[\w-]{{0,24}}:[ \t]+)(\S.*)$")
"""A line of YAML, as its parser quotes them in errors."""
_HEADER = re.compile(
    r"""(?i)(authorization["']?\s{0,3}[:=]\s{0,3})(?:"[^"\r\n]{0,2000}|'[^'\r\n]{0,2000}|[^"'\r\n]{1,2000})"""
    r"|(\bbearer\s{1,3})[\w.~+/=-]{12,}"
)
_BYTES_REPR = re.compile(r"""\bb(?:'(?:[^'\\]|\\.){32,}(?:'|$)|"(?:[^"\\]|\\.){32,}(?:"|$))""", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")


def text(string: str) -> str:
    """The string without credentials and pictures (long bytes reprs, base64), cut at 16,384 characters."""
    if len(string) > _READ_CHARS:
        string = string[:_READ_CHARS]
    if "@" in string:
        string = _URL_LOGIN.sub(f"://{MASK}@", string)
        string = _BARE_LOGIN.sub(f"{MASK}@", string)
    if "=" in string or ":" in string or "earer " in string:
        string = _assignments(string)
    if "\\x" in string:
        string = _BYTES_REPR.sub(lambda match: f"<{len(match[0])} characters of bytes>", string)
    if len(string) > 200:
        string = _BASE64.sub(lambda match: f"<{len(match[0])} characters>", string)
    return string if len(string) <= _KEEP_CHARS else string[:_KEEP_CHARS] + " (cut)"


def _assignments(string: str) -> str:
    string = _HEADER.sub(lambda match: f"{match[1] or match[2]}{MASK}", string)
    string = _ASSIGNED.sub(rf"\g<1>{MASK}", string)
    string = _YAML_LINE.sub(rf"\g<1>{MASK}", string)
    return _QUERY_USER.sub(rf"\g<1>{MASK}", string)


@lru_cache(maxsize=2048)
def is_secret(key: str) -> bool:
    """Whether a field of this name holds a credential: `password`, `FTP_PASS`, `device_params`."""
    return _SECRET_KEY.search(key) is not None


def value(item: object, clean: Callable[[str], str] = text, depth: int = _MAX_DEPTH) -> object:
    """A copy in JSON-able types, `clean` run over each string and secret fields masked. Never raises."""
    if isinstance(item, str):
        return clean(item)
    if item is None or isinstance(item, bool | int | float):
        return item
    if isinstance(item, bytes | bytearray | memoryview):
        return f"<{len(item)} bytes>"
    if depth <= 0:
        return "..."
    try:
        return _inside(item, clean, depth)
    except Exception:  # noqa: BLE001 - a __str__ or __iter__ failed; a log line must not
        return f"<unprintable {type(item).__name__}>"


def fields(
    mapping: Mapping[Any, object], clean: Callable[[str], str] = text, depth: int = _MAX_DEPTH
) -> dict[str, object]:
    """`value` of each value, except that secret fields are masked; whether one is set may still be seen."""
    return {
        (name := str(key)): MASK if is_secret(name) and not _says_nothing(inner) else value(inner, clean, depth - 1)
        for key, inner in islice(mapping.items(), _MAX_ITEMS)
    }


def _says_nothing(item: object) -> bool:
    return item is None or isinstance(item, bool) or (isinstance(item, str) and not item)


def _inside(item: object, clean: Callable[[str], str], depth: int) -> object:
    if isinstance(item, Mapping):
        return fields(item, clean, depth)
    if isinstance(item, list | tuple | set | frozenset):
        return [value(inner, clean, depth - 1) for inner in islice(item, _MAX_ITEMS)]
    if isinstance(item, BaseException):
        return clean(f"{type(item).__name__}: {item}")
    return clean(str(item))
