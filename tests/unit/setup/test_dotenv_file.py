"""Values survive the `.env` syntax of both generations of compose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.setup import dotenv_file

AWKWARD = [
    "",
    "a b",
    "it's",
    'say "x"',
    "#x",
    "a #b",
    "$x",
    "${x}",
    "${x:-y}",
    "a$",
    "$$",
    "\\",
    "a\\",
    "\\\\",
    "\\$",
    '\\"',
    "'\\$'",
    "\\n",
    " lead",
    "trail ",
    "a\nb",
    "a\tb\rc",
    "'",
    '"',
    "}${A}",
    "pässwörd",
    "a:b@c,d%e=f",
]


def as_compose_2_reads(text: str) -> dict[str, str]:
    """The rules of compose-go's dotenv package, version 2, as far as our output can touch them."""
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        if text[position] == "#":
            position = text.index("\n", position) + 1
            continue
        name, _, rest = text[position:].partition("=")
        if rest[:1] in ("'", '"'):
            raw, length = _until_quote(rest)
            position += len(name) + 1 + length
            values[name] = raw if rest[0] == "'" else _expanded(_unescaped(raw), values)
        else:
            line = rest.partition("\n")[0]
            position += len(name) + 1 + len(line)
            values[name] = _expanded(line.partition(" #")[0].rstrip(), values)
        position += 1
    return values


def _until_quote(text: str) -> tuple[str, int]:
    """The raw content; a backslash is dropped only before the very quote that encloses it."""
    quote, raw, escaped = text[0], "", False
    for index, character in enumerate(text[1:], 1):
        if character == quote and not escaped:
            return raw, index + 1
        if escaped:
            raw += character if character == quote else f"\\{character}"
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            raw += character
    raise AssertionError("unterminated quote")


def _unescaped(raw: str) -> str:
    letters = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$$"}
    return re.sub(r'\\([abcfnrtv$"\\])', lambda match: letters[match[1]], raw)


def _expanded(text: str, values: dict[str, str]) -> str:
    def replaced(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else values.get(match[1] or match[2], "")

    return re.sub(r"\$\$|\$\{([A-Za-z_]\w*)[^}]*\}|\$([A-Za-z_]\w*)", replaced, text)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dotenv") / ".env"


def round_trip(path: Path, values: dict[str, str]) -> None:
    text = dotenv_file.render(values)
    path.write_text(text, encoding="utf-8", newline="")
    assert dotenv_file.read(path) == values  # python-dotenv, which is what 1.29 uses
    helpers = {dotenv_file.DOLLAR, dotenv_file.BACKSLASH}
    assert {name: value for name, value in as_compose_2_reads(text).items() if name not in helpers} == values


def test_awkward_values_survive_both_generations_of_compose(path: Path) -> None:
    round_trip(path, {f"V{number:02}": value for number, value in enumerate(AWKWARD)})


@given(st.lists(st.text(alphabet="\\'\"$#{}A :=\n\t`!é-_1", max_size=8), min_size=1, max_size=6))
def test_any_value_survives_both_generations_of_compose(path: Path, values: list[str]) -> None:
    round_trip(path, {f"V{number}": value for number, value in enumerate(values)})


def test_plain_values_stay_readable() -> None:
    assert dotenv_file.render({"WEB_PORT": "8080", "A": "Front Door"}) == "A='Front Door'\nWEB_PORT=8080\n"


def test_a_file_from_elsewhere_is_read_too(path: Path) -> None:
    path.write_text("export A=1\n# comment\nB = 'x y' # more\nEMPTY=\nALONE\n")
    assert dotenv_file.read(path) == {"A": "1", "B": "x y", "EMPTY": ""}
    assert dotenv_file.read(path.with_name("none")) == {}
