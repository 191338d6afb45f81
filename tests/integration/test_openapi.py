"""The API's description is true: schemathesis makes requests of it, good and bad, and holds the answers against it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.messages import Inspection
from app.sources.hooks import Hook, HookSettings
from app.web.api import snapshots
from app.web.api.serialize import entry_json
from app.web.application import application
from app.web.context import WebContext
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.camera_config import FakeCameraConfig
from tests.fakes.detectors import PERSON
from tests.fakes.web import FRONT, Client, CountedTraffic, close, parts_for, serving, shown

KEPT, DELETED = "a" * 32, "b" * 32

FUZZED = int(os.environ.get("SNAPSHOT_TEST_EXAMPLES", "0"))
"""Random requests of each kind; those that are made by rule from the description are more, and always made."""

CONFIG = f"""
seed = 1
[generation]
max-examples = {FUZZED or 1}
[parameters]
"path.id" = "{KEPT}"
"path.name" = "front-door"
"path.archive" = "folder"
"path.hook" = "door"
"path.zone" = "lawn"
"path.visit" = "1"
[[operations]]
include-method = "DELETE"
parameters = {{ "path.id" = "{DELETED}" }}
[[operations]]
include-path = "/api/rules/{{name}}"
include-method = "DELETE"
parameters = {{ "path.name" = "doorbell" }}
[[operations]]
include-path = "/api/cameras/{{name}}/latest.jpg"
checks.positive_data_acceptance.enabled = false
[[operations]]
include-path = "/api/snapshots"
include-method = "POST"
checks.positive_data_acceptance.enabled = false
[[operations]]
include-path = "/api/push/subscriptions"
include-method = "POST"
checks.positive_data_acceptance.enabled = false
[[operations]]
include-path-regex = "^/api/(rules|cameras/.*/zones)"
checks.positive_data_acceptance.enabled = false
"""
"""Ids that there are; and random bytes are no picture or key, and random rules name no camera that is there, however
well they fit the description."""

UNTRIED = ("/api/events", "/api/rules/preview")
"""The stream never ends, and a whole rule book can be wrong in a thousand ways; both have tests of their own."""

ABOUT_OTHERS = (
    *("/api/uploads/form", "/api/snapshots/{id}/frames/", "/api/snapshots/{id}/animation", "/api/jobs/{id}"),
    *("/api/films/{id}", "/api/snapshots/{id}/detection", "/api/redetections", "/api/export.zip"),
    *("/api/snapshots/{id}/video", "/api/deletions"),
)
"""What they are about is not in this house, or gone: a bucket, bursts, jobs, films, a detector, a choice. Their good
answers have unit tests."""

RULES = """
rules: [{name: doorbell}, {name: front-door}]
zones: [{camera: Front Door, name: lawn, points: [[0, 0], [1, 0], [1, 1]]}]
"""


@dataclass(frozen=True, slots=True)
class House:
    """A served API with a pipeline behind it, in which everything is a person."""

    client: Client
    parts: WebContext
    traffic: CountedTraffic
    folder: Path

    @property
    def document(self) -> Any:
        return self.client.get("/openapi.json").json()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    traffic = CountedTraffic()
    door = Hook(HookSettings(name="door", camera=FRONT, active_input_from="none"), cameras={FRONT: "Front"})
    outlets: dict[str, Any] = {"test_messages": {"front-door": lambda: None}, "push_outlets": {"push": False}}
    configured = FakeCameraConfig()
    parts = parts_for(tmp_path, traffic=traffic, hooks={"door": door}, camera_config=configured, **outlets)
    over = threading.Event()
    pipeline = threading.Thread(target=_run, args=(parts, tmp_path, over), daemon=True)
    for event_id in (KEPT, DELETED):
        shown(parts, tmp_path, event_id)
    parts.rules.path.write_text(RULES)
    with serving(application(parts)) as client:
        pipeline.start()
        yield House(client, parts, traffic, tmp_path)
        over.set()
        pipeline.join()
    close(parts)


def test_the_description_is_valid_openapi(house: House) -> None:
    from openapi_spec_validator import validate  # takes half a second, which other workers need not spend

    document = house.document
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert len(_operations(document)) >= 18
    for path, method, operation in _operations(document):
        assert operation["summary"], f"{method} {path}"


@pytest.mark.long
def test_what_the_description_says_is_what_the_api_does(house: House, tmp_path: Path) -> None:
    answered = _explore(house, tmp_path, f"--phases={'coverage,fuzzing' if FUZZED else 'coverage'}")
    assert answered.returncode == 0, answered.stdout[-6000:] + answered.stderr[-2000:]
    statuses = Counter((route, method, status // 100) for route, method, status in house.traffic.seen)
    for path, method, operation in _operations(house.document):
        if path in UNTRIED:
            continue
        if (path, method) != ("/api/snapshots", "post") and not path.startswith(ABOUT_OTHERS):
            assert statuses[path, method.upper(), 2], f"{method} {path} was never done"
        if "requestBody" in operation or any(each["in"] == "query" for each in operation.get("parameters", ())):
            assert statuses[path, method.upper(), 4], f"{method} {path} was never asked wrongly"
    assert any(status == 405 for _, _, status in house.traffic.seen)


@pytest.mark.long
def test_a_description_that_is_not_true_is_found_out(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "entry_json", lambda entry, site: {**entry_json(entry, site), "more": True})
    some = ("--include-name=GET /api/snapshots/{id}", "--phases=coverage", "--max-failures=1")
    explored = _explore(house, tmp_path, *some)
    assert explored.returncode == 1
    assert "additional properties" in explored.stdout.lower()


def test_every_operation_but_health_asks_strangers_who_they_are(tmp_path: Path) -> None:
    parts = parts_for(tmp_path, settings=WebSettings(password=Secret("right")))
    with serving(application(parts)) as client:
        document = client.get("/openapi.json", headers={"Authorization": "Bearer right"}).json()
        for path, method, _ in _operations(document):
            names = {
                "id": KEPT,
                "name": "front-door",
                "archive": "folder",
                "hook": "door",
                "zone": "lawn",
                "number": "0",
                "visit": "1",
            }
            answer = client.ask(method, path.format_map(names))
            if path.startswith("/health/"):
                assert list(answer.json()) == [path.rpartition("/")[2]]
            else:
                assert answer.status_code == 401, f"{method} {path}"
                assert list(answer.json()) == ["error"]
                assert "www-authenticate" in answer.headers
    close(parts)


def _operations(document: Any) -> list[tuple[str, str, Any]]:
    return [(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def _explore(house: House, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Everything that schemathesis finds by trying; 1 when an answer is not as described."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    fixed = [*(f"--exclude-path={path}" for path in UNTRIED), "--exclude-checks=ignored_auth", "--no-color"]
    address = f"{house.client.url}/openapi.json"
    return subprocess.run(
        [*command, address, *fixed, *options], cwd=folder, capture_output=True, text=True, timeout=400, check=False
    )


def _run(parts: WebContext, folder: Path, over: threading.Event) -> None:
    """What the pipeline does with triggers and with pictures that are handed in."""
    while not over.is_set():
        for trigger in parts.intake.poll(0.02):
            parts.live.handle(shown(parts, folder, trigger.id, camera=trigger.camera))
        for snapshot in parts.http_uploads.poll(0.02):
            seen = Inspection(snapshot, "fake", PERSON, "person")
            parts.journal.inspect(seen)
            parts.live.handle(seen)
