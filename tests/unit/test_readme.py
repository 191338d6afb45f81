"""What the prose says is so: names, codes, commands, files. `python -m tests.unit.test_readme` writes its table."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cameras import KINDS as CAMERAS
from app.cameras import CameraError
from app.cameras.address import Networks
from app.cli import main
from app.detectors import KINDS as DETECTORS
from app.settings import environment_table

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
PROSE = ("README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md")
TABLE = re.compile(r"(?<=<!-- table of names: begin -->\n).*?(?=<!-- table of names: end -->)", re.DOTALL)
CODES = re.compile(r"<!-- codes: begin -->\n(.*)<!-- codes: end -->", re.DOTALL)


def table() -> str:
    """The README's table of names."""
    rows = (
        f"| `{name}` | {f'`{path}`' if path else ''} | {what} | {f'`{default}`' if default else ''} |\n"
        for name, path, what, default in environment_table()
    )
    return "| Name | In the file | What it is | Default |\n|---|---|---|---|\n" + "".join(rows)


def prose(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def named_codes() -> set[str]:
    """The codes in the first column of the README's tables of codes."""
    match = CODES.search(prose("README.md"))
    assert match
    first_cells = re.findall(r"(?m)^\| ((?:`\w+`(?:, )?)+) \|", match[1])
    return set(re.findall(r"`(\w+)`", " ".join(first_cells)))


def raised_codes(path: Path) -> set[str]:
    """The first argument of every call in a file that makes a failure."""
    return {
        call.args[0].value
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id.startswith(("Camera", "Detector", "BadPicture"))
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_the_readme_has_the_table_of_all_names() -> None:
    match = TABLE.search(prose("README.md"))
    assert match
    assert match[0] == table(), "write it again: python -m tests.unit.test_readme"


def test_every_code_that_the_readme_explains_is_one() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources("app", "pylib"))
    # As an exception's first argument, or at the beginning of a sentence.
    unknown = {code for code in named_codes() if f'"{code}"' not in text and f'"{code}: ' not in text}
    assert len(named_codes()) > 50
    assert unknown == set()


def test_every_code_of_cameras_detectors_and_pictures_is_explained_in_the_readme() -> None:
    folders = ("app/cameras", "app/detectors", "app/media")
    raised = set().union(*(raised_codes(path) for path in sources(*folders)))
    assert "timeout" in raised
    assert raised - named_codes() == set(), "explain them under «Codes of problems»"


def test_every_kind_of_camera_and_detector_is_in_the_readme() -> None:
    cells = set(re.findall(r"(?m)^\| `(\w+)`", prose("README.md")))
    assert {*CAMERAS, *DETECTORS} <= cells


@pytest.mark.parametrize("name", PROSE)
def test_every_file_that_is_named_is_there(name: str) -> None:
    text = _without_code(prose(name))
    named = set(re.findall(r"`((?:app|pylib|tests|config|docs)/[\w./-]+)`", text))
    linked = {link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link}
    made_by_the_reader = {"config/", "app/cameras/file.py"}
    assert {file for file in (named | linked) - made_by_the_reader if not (ROOT / file).exists()} == set()


@pytest.mark.parametrize("name", PROSE)
def test_every_link_within_a_file_has_its_heading(name: str) -> None:
    headings = re.findall(r"(?m)^#+ (.+)$", _without_code(prose(name)))
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", prose(name))) <= anchors


@pytest.mark.parametrize("name", PROSE)
def test_every_command_that_is_named_exists(name: str) -> None:
    commands = re.findall(r"(?<![\w/<>])snapshot-processor ([a-z][a-z-]*)\b(?=[^.]|\.\s)", _code(prose(name)))
    assert set(commands) <= set(main.commands)


@pytest.mark.parametrize("name", PROSE)
def test_every_target_of_make_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    calls = re.findall(r"(?m)(?:^ *|`)make ((?:[a-z]+ ?)+)", _code(prose(name)))
    assert {word for call in calls for word in call.split()} <= targets


def test_the_camera_of_the_architecture_works(tmp_path: Path) -> None:
    found = re.search(r"`app/cameras/file\.py`:\n\n```python\n(.*?)```", prose("ARCHITECTURE.md"), re.DOTALL)
    assert found
    (tmp_path / "file.py").write_text(found[1], encoding="utf-8")
    module = _imported(tmp_path / "file.py")
    settings = module.FileSettings(location="Attic", path=tmp_path / "attic.jpg", max_bytes=1000)
    camera = module.File(settings, networks=Networks())
    with pytest.raises(CameraError, match="no_file"):
        camera.snapshot()
    settings.path.write_bytes(b"a picture")
    assert camera.snapshot().data == b"a picture"
    settings.path.write_bytes(bytes(1001))
    with pytest.raises(CameraError, match="too_large"):
        camera.snapshot()


def _imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("camera_of_the_architecture", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic looks up names of types there
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


def _code(text: str) -> str:
    """What stands in backquotes, and indented or fenced blocks; each on a line of its own."""
    fenced = re.findall(r"(?s)```\w*\n(.*?)```", text)
    indented = re.findall(r"(?m)^ {4}(.+)$", text)
    quoted = [f"`{code}" for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _without_code(text))]
    return "\n".join([*fenced, *indented, *quoted])


def _without_code(text: str) -> str:
    """Without fenced blocks."""
    return re.sub(r"(?s)```.*?```", "", text)


if __name__ == "__main__":
    README.write_text(TABLE.sub(lambda _: table(), prose("README.md")), encoding="utf-8")
    sys.stdout.write(f"wrote the table of names in {README.name}\n")
