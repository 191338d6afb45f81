"""Every text that people read in the album: found in its templates, scripts and Python, so that none is forgotten."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from jinja2 import Environment, nodes

from app import cameras, wording
from app.web.album import languages, status_texts, texts
from app.web.album.camera_form import CameraForm
from app.web.album.camera_makes import makes
from app.web.album.languages.templates import texts_of

ALBUM = Path(languages.__file__).parents[1]

PROSE = re.compile(r"^[“(;, ]*[A-Z][a-z]|^(?:It|A) |[a-z,;] [a-z]")
"""What looks like words for people: a capital, or two words."""

NOT_SHOWN = {
    *("light dark", "Cache-Control", "Vary", "Content-Encoding", "Accept-Language", "Refresh", "Last-Event-ID"),
    *("private, no-cache", "private, max-age=3600", "public, max-age=86400", "no-cache", "attachment; filename"),
    *("GET", "POST", "GIF", "WebP", "MP4", "Accept-Encoding, Accept-Language, Cookie, HX-Request", "Clear-Site-Data"),
    *("UniFi (Ubiquiti)", "Foscam", "ESPHome", "D-Link", "TP-Link VIGI", "XMLHttpRequest", "Enter", "Escape", "Person"),
    *("Content-Type", "HX-Request", "Accept-Encoding", "public, max-age=31536000, immutable", "with a preset", "j k"),
    *("text/css; charset=utf-8", "text/javascript; charset=utf-8", "text/plain; charset=utf-8", "; failed"),
    *("must be less than or equal to", "must be greater than or equal to", "must be true or false"),
    "must be a moment such as 2026-11-21T14:00:00Z",
}
"""What looks like it and is none: headers, names of makes, keys."""


def of_templates() -> set[str]:
    """What stands between tags, and what is said in expressions."""
    found: set[str] = set()
    for path in (ALBUM / "templates").glob("*.html"):
        source = path.read_text()
        found |= {*texts_of(source), *_said(Environment().parse(source))}
    return found


def unmarked_in_templates() -> set[str]:
    """Words in expressions that nobody translates."""
    found = set()
    for path in (ALBUM / "templates").glob("*.html"):
        tree = Environment().parse(path.read_text())
        said = {id(text) for call in tree.find_all(nodes.Call) for text in call.args if _names(call)}
        found |= {
            f"{path.name}: {const.value}"
            for const in tree.find_all(nodes.Const)
            if isinstance(const.value, str) and PROSE.search(const.value) and id(const) not in said
            if const.value not in NOT_SHOWN and "/" not in const.value and not const.value.startswith((" is-", " chip"))
        }
    return found


def of_python() -> set[str]:
    """What is given to `tr` and `counted`, and all else in the album's modules that looks like words for people."""
    found = set()
    for path in _modules():
        tree = ast.parse(path.read_text())
        found |= set(_given(tree)) | {text for text in _prose(tree) if text not in NOT_SHOWN}
    return found


def glued_in_python() -> set[str]:
    """Sentences that are put together where no translation can put them in another order."""
    return {
        f"{path.name}: {part.value!s}"
        for path in _modules()
        for joined in ast.walk(ast.parse(path.read_text()))
        if isinstance(joined, ast.JoinedStr)
        for part in joined.values
        if isinstance(part, ast.Constant) and re.search(r"^[^<]*[a-z]{2,} [a-z]{2,}|^[A-Z][a-z]+ ", str(part.value))
    }


def of_scripts() -> set[str]:
    """What is given to `tr`, and tables of sentences."""
    found = set()
    for path in (ALBUM / "static").glob("*.js"):
        source = re.sub(r"^\s*(?://|/?\*).*$", "", path.read_text(), flags=re.MULTILINE)
        found |= set(re.findall(r'tr\("((?:[^"\\]|\\.)*)"', source))
        found |= {
            text for text in re.findall(r'"((?:[^"\\\n]|\\.)*)"', source) if re.search(r"^[A-Z].* |[a-z]\.$", text)
        }
    return {text for text in found if text not in NOT_SHOWN}


def scripts_of(language: str) -> dict[str, str]:
    """What a page brings along for its scripts."""
    said: dict[str, str] = json.loads(languages.catalogue(language).scripts)
    return said


def unmarked_in_scripts() -> set[str]:
    """Sentences in template literals."""
    return {
        f"{path.name}: {text}"
        for path in (ALBUM / "static").glob("*.js")
        if path.name != "service-worker.js"
        for text in re.findall(r"`([^`]*)`", re.sub(r"^\s*(?://|/?\*).*$", "", path.read_text(), flags=re.MULTILINE))
        if not text.startswith(("<", "pswp")) and re.search(r"[a-z]{2,} [a-z]{2,}", text)
    }


def of_failures(*subjects: str) -> set[str]:
    """What the codes of these parts mean, and what to do."""
    tables = [
        codes for subject in get_args(wording.Subject) if subject in subjects for codes in wording._codes(subject)
    ]
    return {text for codes in tables for pair in codes.values() for text in pair if text}


def of_tables() -> set[str]:
    """What states and steps are called, which are single words."""
    tables = (status_texts.STATES, status_texts.CHECKS, texts.STEPS)
    return {*(text for table in tables for text in table.values()), texts.FORMER, texts.UNTRIED, texts.ONLY_OLDER}


def of_camera_forms() -> set[str]:
    """What the forms of cameras ask, and the makes that there are; brands have the same name everywhere."""
    found = set()
    for make in makes(tuple(cameras.KINDS)):
        first, rest = CameraForm(make, None).fields()
        found |= {text for field in (*first, *rest) for text in (field.title, field.help) if text}
        found |= set() if make.preset or make.kind == "foscam" else {make.title}
    return found


def elsewhere() -> set[str]:
    """All constants of the service's Python: sentences of errors, of health, of the rules; `{}` for each value."""
    found = of_failures(*get_args(wording.Subject))
    for path in [*ALBUM.parents[1].rglob("*.py"), *(ALBUM.parents[2] / "pylib").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
                found.add("".join(map(str, parts)))
    return {
        said
        for text in found
        for said in (text, text.replace("_", " "), text.partition(": ")[2], text.removeprefix("; "))
    }


def _modules() -> list[Path]:
    return [path for path in ALBUM.rglob("*.py") if path.parent.name != "languages"]


def _names(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name in ("tr", "counted")


def _said(tree: nodes.Template) -> Iterator[str]:
    for call in tree.find_all(nodes.Call):
        if _names(call):
            texts = [arg.value for arg in call.args if isinstance(arg, nodes.Const)]
            yield from texts if call.node.name == "tr" else [f"{{n}} {texts[1]}"]  # type: ignore[attr-defined]


def _given(tree: ast.AST) -> Iterator[str]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
            texts = [str(arg.value) for arg in call.args if isinstance(arg, ast.Constant)]
            if call.func.id == "tr":
                yield from texts
            elif call.func.id == "counted":
                yield f"{{n}} {texts[-1]}"


def _prose(tree: ast.AST) -> Iterator[str]:
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # docstrings
            skipped |= {id(node.value)}
        elif isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("counted", "Route"):
            skipped |= {id(arg) for arg in node.args}
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped
        if is_text and PROSE.search(node.value):  # type: ignore[attr-defined]
            yield node.value  # type: ignore[attr-defined]
