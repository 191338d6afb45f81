"""Links lead somewhere, what is named is there, and the front page stays one."""

from __future__ import annotations

import posixpath
import re
from functools import cache

import pytest
from click.testing import CliRunner

from app.cameras import KINDS as CAMERAS
from app.cli.main import main
from app.config.environment import LATER
from app.config.settings import environment_table
from app.detectors import KINDS as DETECTORS
from app.monitoring.metrics import SnapshotMetrics
from tests.unit.docs.pages import PAGES, ROOT, anchors, first_cells, inline, links, text

WRITTEN_BY_THE_READER = {
    "config/",
    "config/config.yml",
    "app/cameras/poster.py",
    "app/detectors/brightness.py",
    "app/publishers/lines.py",
    "app/archives/flat.py",
    "app/sources/spool.py",
}

FOR_CHANGERS = [page for page in PAGES if page.startswith("docs/architecture/")] + ["ARCHITECTURE.md"]
"""Pages that name constants of the source, too."""

NO_SETTINGS = {
    "NO_COLOR",
    "FORCE_COLOR",
    "SNAPSHOT_TEST_AMQP_URL",
    "SNAPSHOT_TEST_EXAMPLES",
    "STANDARD_IA",
    "GLACIER_IR",
    "COMPOSE_PROFILES",
}


@cache
def settings() -> set[str]:
    """Names in the environment, `n` for every number, and what the composed containers read."""
    template = (ROOT / "docker-compose.template.yml").read_text(encoding="utf-8")
    names = {name for name, *_ in environment_table()} | {*re.findall(r"\$\{(\w+)", template), *LATER}
    return names | {name.replace("OUTPUT_n", "INPUT_n") for name in names}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        assert (ROOT / target).exists(), f"{page}: {link}"
        assert not anchor or anchor in anchors(target), f"{page}: {link}"


def test_every_page_is_in_the_index() -> None:
    named = {posixpath.normpath(f"docs/{link.partition('#')[0]}") for link in links("docs/README.md")}
    assert {page for page in PAGES if page.startswith("docs/")} - named == {"docs/README.md"}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    named = {
        match[0]
        for code in inline(page)
        if (match := re.fullmatch(r"(?:app|pylib|tests|config|docs|\.ci)/[\w./-]*", code))
    }
    assert {file for file in named - WRITTEN_BY_THE_READER if not (ROOT / file).exists()} == set()


@cache
def constants() -> set[str]:
    """Names in capitals in the source."""
    files = [path for part in ("app", "pylib") for path in (ROOT / part).rglob("*.py")]
    return {name for file in files for name in re.findall(r"\b[A-Z][A-Z0-9_]+\b", file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_is_named_is_one(page: str) -> None:
    known = settings() | NO_SETTINGS
    if page in FOR_CHANGERS:
        known |= constants()
    for code in inline(page):
        for name in re.findall(r"\b[A-Z][A-Z0-9]*(?:_(?:[A-Z0-9]+|n))+\b(?!_?\.\.\.)", code):
            numbered = re.sub(r"_\d+_", "_n_", name)
            assert {numbered, numbered.removesuffix("_FILE")} & known, f"{page}: {name}"


def test_the_table_of_settings_is_what_the_command_prints() -> None:
    printed = CliRunner().invoke(main, ["settings"])
    assert printed.output == text("docs/settings.md"), "write it again: make docs"


def test_every_name_in_the_environment_is_in_the_table_of_settings() -> None:
    assert {name for name, *_ in environment_table()} <= {*inline("docs/settings.md")}


def test_every_metric_that_is_worth_an_alarm_is_there() -> None:
    _, _, section = text("docs/operations.md").partition("\n## Metrics\n")
    rows = re.findall(r"^\| (`.*?) \|", section.partition("\n## ")[0], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert len(named) > 10
    assert named <= set(re.findall(r"^# TYPE (\w+)", SnapshotMetrics(version="1").render().decode(), re.MULTILINE))


@pytest.mark.parametrize(("page", "kinds"), [("docs/cameras.md", CAMERAS), ("docs/detectors.md", DETECTORS)])
def test_every_kind_has_a_row(page: str, kinds: dict[str, str]) -> None:
    assert set(kinds) <= first_cells(page)


@pytest.mark.parametrize(("page", "longest"), [("README.md", 180), ("ARCHITECTURE.md", 150)])
def test_the_first_pages_stay_short(page: str, longest: int) -> None:
    assert len(text(page).splitlines()) <= longest
