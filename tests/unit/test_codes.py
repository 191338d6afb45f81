"""Every code of a failure has a sentence for people and says what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from app import wording
from app.cli.main import main
from app.wording import SOURCES, Subject

ROOT = Path(__file__).parents[2]
SUBJECTS = get_args(Subject)
MAKES_FAILURES = re.compile(
    r"(Camera|Detector|Archive|Publish|Backup|Postgres|Picture)\w*|BadPicture|NoPicture|MalformedTrigger|InboxUnavailable"
    r"|ObjectRejected|ObjectUnavailable|NotAnimated|NotYet|Stopping|FilmError|FilmUnwritable|NoPictures|SelectionError|StampError|MediaUnavailable|SignInRefused|Unanswered|Throttled|NotThere|SecondParentRefused|WrongCopy|Transient|Permanent|Failure|_give_up"
)
SLUG = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
FOLDERS: Mapping[Subject, tuple[str, ...]] = {
    "camera": ("app/cameras", "app/media/picture.py", "app/pipeline/fetch.py"),
    "detector": ("app/detectors", "app/media/fit.py", "app/pipeline/detect.py"),
    "upload": ("app/pipeline/receive.py", "app/media/picture.py"),
    "object": ("app/pipeline/collect.py", "app/sources/buckets/reading.py", "app/media/picture.py"),
    "trigger": ("app/wire/triggers.py", "app/wire/fields.py", "app/sources"),
    "publisher": ("app/publishers", "app/pipeline/delivery.py", "pylib/rabbitmq/broker.py", "pylib/mqtt"),
    "job": (
        "app/jobs",
        "app/describe/job.py",
        "app/describe/server.py",
        "app/media/animation.py",
        "app/storage/animations.py",
        "app/media/film.py",
        "app/media/film_file.py",
        "app/media/stamp.py",
        "app/films",
    ),
    "booth": ("app/booth", "app/bootstrap/booth.py"),
    "index": ("app/index",),
    "archive": ("app/archives", "app/pipeline/archive.py", "app/pipeline/delivery.py"),
}
"""Where these failures are made."""


def files(*places: str) -> Iterator[Path]:
    for place in places:
        yield from sorted((ROOT / place).rglob("*.py")) if (ROOT / place).is_dir() else [ROOT / place]


def raised_codes(path: Path) -> set[str]:
    """Codes that a file raises by name, or looks up in a table of `(code, sentence)`."""
    found: set[str] = set()
    for node in ast.walk(_without_codes(ast.parse(path.read_text(encoding="utf-8")))):
        match node:
            case ast.Call(func=func, args=[ast.Constant(str(code)), _, *_]) if _makes_failure(func):
                found.add(code)
            case ast.Dict(values=values):
                found |= {
                    element.elts[0].value
                    for element in values
                    if isinstance(element, ast.Tuple)
                    and len(element.elts) == 2
                    and isinstance(element.elts[0], ast.Constant)
                    and isinstance(element.elts[0].value, str)
                    and SLUG.fullmatch(element.elts[0].value)
                    and isinstance(element.elts[1], ast.Constant | ast.JoinedStr)
                }
            case ast.Constant(str(text)) if text.partition(": ")[1] and SLUG.fullmatch(text.partition(": ")[0]):
                found.add(text.partition(": ")[0])
    return found


def _makes_failure(func: ast.expr) -> bool:
    name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
    return bool(MAKES_FAILURES.fullmatch(name))


def _without_codes(tree: ast.Module) -> ast.Module:
    def is_codes(node: ast.stmt) -> bool:
        return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "CODES" for t in node.targets)

    return ast.Module([node for node in tree.body if not is_codes(node)], [])


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_code_that_is_raised_is_explained(subject: Subject) -> None:
    raised = {code for path in files(*FOLDERS[subject]) for code in raised_codes(path)}
    assert len(raised) > 3
    unexplained = {code for code in raised if not wording.explain(code, of=subject)[1]}
    assert unexplained == set(), "give them a sentence and a remedy in CODES, beside what raises them"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_code_has_a_sentence_and_a_remedy(subject: Subject) -> None:
    for module in SOURCES[subject]:
        codes: Mapping[str, Any] = getattr(import_module(module), "CODES", {})
        for code, (sentence, remedy) in codes.items():
            assert SLUG.fullmatch(code), code
            assert re.fullmatch(r"[A-Z].*[.]", sentence), sentence
            assert remedy, code
            assert "|" not in sentence + remedy


def test_one_code_may_mean_different_things() -> None:
    assert wording.explain("refused", of="camera")[0].startswith("The camera refused the connection")
    assert wording.explain("refused", of="detector")[0] == "The detector refused to look at this picture."


def test_an_unknown_code_is_told_as_such() -> None:
    assert wording.explain("no_such_code", of="camera") == (wording.UNKNOWN, "")


def test_the_command_prints_the_table_for_the_documentation() -> None:
    printed = CliRunner().invoke(main, ["codes"]).output
    assert printed == wording.table()
    assert "| `login_refused` | The camera did not accept user name and password. | correct this camera's" in printed
    assert printed.count("\n## ") == len(SUBJECTS)


@pytest.mark.parametrize("subject", wording.KINDS)
def test_a_code_of_a_kind_that_is_known_means_what_that_kind_says(subject: Subject) -> None:
    for kind, path in wording.KINDS[subject].items():
        for code, meant in getattr(import_module(path.partition(":")[0]), "CODES", {}).items():
            assert wording.explain(code, of=subject, kind=kind) == meant, (kind, code)
