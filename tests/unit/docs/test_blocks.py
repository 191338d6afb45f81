"""What is shown works: configurations load, commands exist, examples are read by the code that reads real ones."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from app import wire
from app.bootstrap.adapters import notifying_names
from app.cli.main import main
from app.config.settings import environment_table, load
from app.rules.file import read_rules
from app.web.api import operations
from pylib.rabbitmq.delivery import Delivery
from tests.fakes.web import close, parts_for
from tests.unit.docs.pages import PAGES, ROOT, Block, blocks, inline, text

OTHERS = {"aws", "cat", "chmod", "cp", "curl", "docker", "eval", "git", "mv", "openssl", "rabbitmqctl", "rsync", "ssh"}
"""Programs that are not ours: of these only the form is looked at."""

SERVICES = {"app", "rabbitmq"}
"""Of the composed containers."""

RUN = {"schema", "settings"}
"""Commands of ours that need nothing and change nothing."""


ADAPTER = "docs/architecture/adding-an-adapter.md"
"""Configures a camera that does not exist yet; `test_adding_an_adapter` makes it."""


@pytest.mark.parametrize("block", [block for block in blocks("yaml") if block.page != ADAPTER], ids=str)
def test_every_configuration_loads(block: Block, tmp_path: Path) -> None:
    values = yaml.safe_load(block.text)
    if "services" in values:  # docker-compose.override.yml
        assert set(values["services"]) <= SERVICES
        return
    if "apiVersion" in values:  # of Kubernetes
        (container,) = values["spec"]["template"]["spec"]["containers"]
        assert {one["name"] for one in container["env"]} <= {row[0] for row in environment_table()}
        return
    file = tmp_path / "config.yml"
    file.write_text(block.text, encoding="utf-8")
    if "rules" in values:  # rules.yml
        assert read_rules(file, cameras=["Front Door Camera"], outlets=["phone"]).rules
        return
    assert load(file, {}, secrets=tmp_path).warnings == ()


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*/config.yml")), ids=lambda file: file.parent.name)
def test_every_example_loads(file: Path, tmp_path: Path) -> None:
    settings = load(file, {}, secrets=tmp_path)
    assert settings.warnings == ()
    if (rules := file.with_name("rules.yml")).exists():
        cameras = [camera.device_key for camera in settings.cameras]
        assert read_rules(rules, cameras=cameras, outlets=notifying_names(settings)).rules


@pytest.mark.parametrize("block", blocks("env"), ids=str)
def test_every_environment_loads(block: Block, tmp_path: Path) -> None:
    environ = dict(line.split("=", 1) for line in block.text.splitlines())
    (tmp_path / "empty.yml").touch()
    assert load(tmp_path / "empty.yml", environ, secrets=tmp_path).warnings == ()


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_every_json_is_some(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_every_program_compiles(block: Block) -> None:
    is_row = block.text.startswith(" ")  # of a registry
    compile(f"{{{block.text}}}" if is_row else block.text, str(block), "exec")


def test_the_trigger_that_is_shown_is_understood() -> None:
    (shown,) = (block.text for block in blocks("json") if "output_triggered" in block.text)
    trigger = wire.parse_trigger(Delivery(shown.encode(), content_type="application/json"))
    assert trigger.camera == "Front Door Camera"
    assert trigger.active_input == {"device_key": "Front Door Contact", "state": "open"}


def test_every_operation_of_the_api_is_in_its_page(tmp_path: Path) -> None:
    parts = parts_for(tmp_path)
    real = {(operation.method, operation.template) for operation in operations(parts)}
    close(parts)
    shown = set()
    for code in inline("docs/http-api.md"):
        if call := re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s?\[]*).*", code):
            shown.add((call[1], call[2]))
    # The forms of a picture share a row.
    shown |= {
        ("GET", f"/api/snapshots/ID/{form}")
        for form in ("preview", "thumbnail", "annotated")
        if f"`/{form}`" in text("docs/http-api.md")
    }
    assert shown == {
        (
            method,
            re.sub(r"\{archive\}|\{name\}|\{hook\}", "NAME", path)
            .replace("{id}", "ID")
            .replace("{zone}", "ZONE")
            .replace("{number}", "NUMBER"),
        )
        for method, path in real
    }


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_every_command_works_as_far_as_it_can_be_tried(block: Block) -> None:
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    for words in commands(block.text):
        try_out(words)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_a_sentence_exists(page: str) -> None:
    for code in inline(page):
        if re.match(r"(snapshot-processor|make) [a-z-]", code):
            for words in commands(code):
                try_out(words)


@cache
def try_out(words: tuple[str, ...]) -> None:
    """Run a command, or what it can be asked without doing anything."""
    program, *arguments = words
    if program == "snapshot-processor":
        try_ours(arguments)
    elif program == "make":
        done = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    elif program == "python" and arguments[0] == "-m":
        assert importlib.util.find_spec(arguments[1]), arguments[1]
    elif program == "python":
        assert arguments[0] == "-"
    else:
        assert program in OTHERS, program


def try_ours(arguments: Sequence[str]) -> None:
    command: click.Command = main
    path: list[str] = []
    rest = [*arguments]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"snapshot-processor {' '.join([*path, name])}"
        command = found
        path.append(name)
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= known, arguments
    asked = path if path and path[0] in RUN else [*path, "--help"]
    assert CliRunner().invoke(main, asked).exit_code == 0


def commands(script: str) -> Iterator[tuple[str, ...]]:
    """The commands of a script, without settings before them, redirections, and what runs them in a container."""
    for line in script.replace("\\\n", " ").splitlines():
        words: list[str] = []
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
        lexer.whitespace_split = True
        for word in [*lexer, ";"]:
            if not set(word) <= set("&|;"):
                words.append(word)
                continue
            if found := _plain(words):
                yield tuple(found)
            words = []


def _plain(words: list[str]) -> list[str]:
    words = words[: next((at for at, word in enumerate(words) if word in ("<", ">")), None)]
    while words and (words[0] == "export" or re.match(r"[A-Z][A-Z0-9_]*=", words[0])):
        words = words[1:]
    if words[:3] == ["docker", "compose", "run"]:
        return ["snapshot-processor", *words[words.index("app") + 1 :]]
    if words[:3] == ["docker", "compose", "exec"]:
        return words[min(words.index(service) for service in SERVICES if service in words) + 1 :]
    return [words[0].removeprefix(".venv/bin/"), *words[1:]] if words else []
