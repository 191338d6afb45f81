"""The documentation's files, taken apart: prose, fenced blocks, inline code, headings, links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"))
)

_BLOCK = re.compile(r"(?ms)^( *)```(\w*)\n(.*?)^\1```$")


class Block(NamedTuple):
    """A fenced block."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str) -> str:
    """Without fenced blocks."""
    return _BLOCK.sub("", text(page))


def blocks(*languages: str) -> list[Block]:
    """The fenced blocks of these languages, of all pages."""
    return [block for page in PAGES for block in _blocks(page) if block.language in languages]


def inline(page: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(page))


def anchors(page: str) -> set[str]:
    """What a link to one of the page's headings has behind `#`, as GitHub makes it."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"(?m)^#+ (.+)$", prose(page)):
        slug = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def links(page: str) -> list[str]:
    """Targets of links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def first_cells(page: str) -> set[str]:
    """The words in backquotes in the first column of a page's tables."""
    cells = re.findall(r"(?m)^\| ((?:`[^`|]+`(?:, )?)+)[^|]*\|", text(page))
    return set(re.findall(r"`([^`]+)`", " ".join(cells)))


def _blocks(page: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(text(page)):
        indent, language, body = match.groups()
        line = text(page).count("\n", 0, match.start()) + 1
        yield Block(page, line, language, re.sub(f"(?m)^{indent}", "", body))
