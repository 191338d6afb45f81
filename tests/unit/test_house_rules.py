"""The rules of the house, read off the imports: who may know whom."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("app", "pylib")
    for path in (ROOT / package).rglob("*.py")
}

ADAPTERS = ("cameras", "detectors", "publishers", "archives")
"""Packages of adapters: one file each behind a Protocol."""

ADAPTER_MAY_KNOW = ("app.messages", "app.media", "app.rules", "app.wire")
"""What an adapter may import of `app`, besides its own package."""

ROOTS = (
    "app.bootstrap.service",
    "app.bootstrap.adapters",
    "app.bootstrap.permissions",
    "app.cli.main",
    "app.cli.archive",
    "app.bootstrap.archives",
    "app.cli.check",
    "app.cli.demo",
    "app.cli.discover",
    "app.cli.model",
    "app.config.settings",
    "app.config.devices",
    "app.config.mqtt",
    "app.setup.__main__",
)
"""Where the parts are put together, described and looked at as a whole; nobody else knows an adapter by name."""

SPEAK_THROUGH = {"app.cameras.onvif": ("app.sources.onvif", "app.sources.onvif.edges")}
"""A camera's package -> the source whose triggers come by the same protocol."""

HEAVY = (
    *(
        "aiohttp",
        "apprise",
        "av",
        "boto3",
        "botocore",
        "cryptography",
        "cv2",
        "numpy",
        "onnxruntime",
        "paho",
        "psycopg",
    ),
    *(
        "app.publishers.postgres",
        "app.publishers.webpush",
        "app.sources.sqs",
        "app.sources.onvif",
    ),
    *("argon2", "charset_normalizer", "opentelemetry", "pydrive2", "pywebpush", "rich", "starlette", "uvicorn"),
)
"""What is loaded only when it is configured."""


@cache
def imports(module: str) -> frozenset[str]:
    """Everything a module imports, also inside functions; `from app import wire` as `app.wire`."""
    return frozenset(_imports(module))


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(SOURCES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in SOURCES else node.module


@cache
def known(module: str) -> frozenset[str]:
    """What a module imports, with all packages around it."""
    return frozenset(name[:end] for name in imports(module) for end in _ends(name))


def _ends(name: str) -> list[int]:
    return [*(at for at, letter in enumerate(name) if letter == "."), len(name)]


def importers(of: str) -> set[str]:
    return {module for module in SOURCES if of in known(module)}


def test_pylib_knows_nothing_of_the_service() -> None:
    assert not [module for module in importers("app") if module.startswith("pylib")]


def test_only_the_relay_and_the_listener_know_zeromq() -> None:
    assert importers("zmq") == {"pylib.runtime.relay", "pylib.rabbitmq.listener"}


def test_only_one_place_puts_characters_in_order_and_it_has_a_limit() -> None:
    assert [module for module, path in SOURCES.items() if "unicodedata.normalize" in path.read_text()] == ["pylib.text"]


def test_only_one_place_reads_forms_and_each_within_its_limit() -> None:
    assert importers("starlette.formparsers") == {"app.web.forms"}
    assert not [module for module, path in SOURCES.items() if ".form()" in path.read_text()]


def test_only_the_journal_and_its_database_speak_sql() -> None:
    assert {m for m in importers("sqlite3") if not m.startswith("app.journal.")} == {"pylib.sqlite"}


def test_only_the_rabbitmq_package_and_the_command_line_s_client_know_pika() -> None:
    assert {m for m in importers("pika") if not m.startswith("pylib.rabbitmq.")} == {"app.cli.amqp_client"}


def test_only_the_mqtt_package_knows_paho() -> None:
    assert {m for m in importers("paho") if not m.startswith("pylib.mqtt.")} == set()


def test_only_the_postgres_package_knows_psycopg() -> None:
    assert {m for m in importers("psycopg") if not m.startswith("pylib.postgres.")} == set()


@pytest.mark.parametrize("package", [name for name in ADAPTERS if f"app.{name}" in SOURCES])
def test_an_adapter_knows_only_its_package_the_messages_and_pylib(package: str) -> None:
    home = f"app.{package}"
    allowed = (home, *ADAPTER_MAY_KNOW)
    for module in SOURCES:
        if module == home or module.startswith(f"{home}."):
            foreign = [
                name
                for name in imports(module)
                if name.split(".")[0] == "app" and not any(name == a or name.startswith(f"{a}.") for a in allowed)
            ]
            assert not foreign, f"{module} imports {foreign}"


@pytest.mark.parametrize("package", [name for name in ADAPTERS if f"app.{name}" in SOURCES])
def test_nobody_but_the_roots_knows_an_adapter_by_name(package: str) -> None:
    home = f"app.{package}"
    adapters = [module for module in SOURCES if module.startswith(f"{home}.")]
    for adapter in adapters:
        friends = next((them for of, them in SPEAK_THROUGH.items() if adapter.startswith(of)), ())
        strangers = {m for m in importers(adapter) if not m.startswith(home) and m not in (*ROOTS, *friends)}
        assert not strangers, f"{strangers} import {adapter}"


@pytest.mark.parametrize(
    ("home", "strangers"),
    [
        ("app.pipeline", ("app.bootstrap", "app.cli", "app.config", "app.web", "threading.Thread")),
        ("app.web", ("app.bootstrap", "app.cli", "app.config")),
        ("app.storage", ("app.bootstrap", "app.cli", "app.config", "app.pipeline", "app.web")),
        ("app.uploads", ("app.bootstrap", "app.cli", "app.config", "app.pipeline", "app.web")),
        ("app.journal", ("app.bootstrap", "app.cli", "app.config", "app.pipeline", "app.storage", "app.web")),
        ("app.sources", ("app.bootstrap", "app.cli", "app.config", "app.web")),
        ("app.config", ("app.bootstrap", "app.cli", "app.pipeline")),
        ("app.bootstrap", ("app.cli",)),
    ],
)
def test_a_room_knows_nothing_of_those_above_it(home: str, strangers: tuple[str, ...]) -> None:
    for module in SOURCES:
        if module == home or module.startswith(f"{home}."):
            known = {name for name in imports(module) if any(name == s or name.startswith(f"{s}.") for s in strangers)}
            assert not known, f"{module} imports {known}"


def test_rooms_make_no_circle() -> None:
    def room(module: str) -> str:
        return ".".join(module.split(".")[:2])

    waiting: dict[str, set[str]] = {}
    for module in SOURCES:
        known = {room(name) for name in imports(module) if name in SOURCES} - {room(module)}
        waiting.setdefault(room(module), set()).update(known)
    while free := {each for each, needed in waiting.items() if not needed & waiting.keys()}:
        waiting = {each: needed for each, needed in waiting.items() if each not in free}
    assert not waiting


def test_the_service_is_the_drawing_and_nothing_else() -> None:
    assert len(SOURCES["app.bootstrap.service"].read_text().splitlines()) <= 150


def test_no_file_lies_loose_but_those_that_everybody_shares() -> None:
    loose = {path.stem for path in (ROOT / "app").glob("*.py")}
    assert loose == {"__init__", "__main__", "messages", "naming", "wording"}


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_importing_pylib_does_nothing() -> None:
    modules = [module for module in SOURCES if module.startswith("pylib")]
    code = (
        f"import importlib, logging, threading, os\n"
        f"files = len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 0\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"after = len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 0\n"
        f"print(threading.active_count(), logging.getLogger().handlers, after - files)"
    )
    assert run_python(code) == "1 [] 0"


def test_nothing_heavy_is_loaded_before_it_is_configured() -> None:
    environ = {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Yard", "XAUTH_1_FILE": "x"}
    code = (
        f"import sys, app.__main__\n"
        f"app.__main__.load_command()\n"
        f"import app.bootstrap.service, app.config.settings\n"
        f"app.config.settings.load(environ={{}})\n"
        f"print([name for name in sys.modules if name.startswith('app.cameras.demo')])\n"
        f"app.config.settings.load(environ={environ!r})\n"
        f"print([name for name in {HEAVY!r} if sys.modules.get(name)])"
    )
    assert run_python(code) == "[]\n[]"


COUNTED_CLASS = re.compile(r"(\\[wWsSdD]|\[[^\]\n]*(\\[wWsSdD]|\^)[^\]\n]*\]|(?<!\\)\.)\{\d+,(\d+)?\}")


def test_no_pattern_of_a_setting_counts_a_class_of_unicode() -> None:
    """pydantic compiles them before they are used: `[\\w-]{1,63}` twice takes 12 MB. `max_length` counts."""
    found = [
        f"{name}: {line.strip()}"
        for name, path in SOURCES.items()
        for line in path.read_text().splitlines()
        if "pattern=" in line and COUNTED_CLASS.search(line)
    ]
    assert not found
