"""Adding an adapter as the page says: one file and one row for each kind, and the service runs with all of them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Launch
from tests.e2e.pictures import jpeg
from tests.e2e.process import PROJECT, ServiceProcess, until

PAGE = (PROJECT / "docs/architecture/adding-an-adapter.md").read_text(encoding="utf-8")
ADAPTER = re.compile(
    r"`(app/\w+/\w+\.py)` [^`]*?```python\n(.*?)```\n\n"
    r"The row in `KINDS` of `(app/\w+/__init__\.py)`:\n\n```python\n(.*?)```",
    re.DOTALL,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source with the page's five adapters in it, and nothing else changed."""
    project = tmp_path_factory.mktemp("project")
    for package in ("app", "pylib"):
        shutil.copytree(PROJECT / package, project / package)  # with what is compiled already
    adapters = ADAPTER.findall(PAGE)
    assert [file.split("/")[1] for file, *_ in adapters] == [
        "cameras",
        "detectors",
        "publishers",
        "archives",
        "sources",
    ]
    for file, source, registry, row in adapters:
        assert not (project / file).exists()
        (project / file).write_text(source, encoding="utf-8")
        text = (project / registry).read_text(encoding="utf-8")
        head, separator, rest = text.partition(" = Registry(\n    {\n")
        assert separator, f"{registry} has no registry"
        (project / registry).write_text(head + separator + row + rest, encoding="utf-8")
    return project


def by_file(service: ServiceProcess) -> None:
    """The configuration that the page shows."""
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (service.home / "config.yml").write_text(yaml.safe_dump(yaml.safe_load(shown)), encoding="utf-8")
    del service.environment["DETECTOR_KIND"]


def by_environment(service: ServiceProcess) -> None:
    """The variables that the page shows."""
    (shown,) = re.findall(r"```sh\n(export .*?)```", PAGE, re.DOTALL)
    for line in shown.splitlines():
        words = shlex.split(line.removeprefix("export "))
        service.environment.update({name: value for name, _, value in (word.partition("=") for word in words)})


@pytest.mark.parametrize("configure", [by_file, by_environment])
@pytest.mark.long
def test_the_service_runs_with_an_adapter_of_each_kind_that_is_one_file_and_one_row(
    project: Path, launch: Launch, configure: Callable[[ServiceProcess], None]
) -> None:
    service = launch()
    configure(service)
    service.environment["PYTHONPATH"] = str(project)
    service.forked = False
    for folder in ("gallery", "spool"):
        (service.home / folder).mkdir()
    (service.home / "attic.jpg").write_bytes(jpeg(320, 240))
    found = service.command("check").stdout
    assert "camera Attic Camera: 320x240 JPEG" in found, found
    assert "archive flat: gallery" in found, found

    service.start().wait_ready()
    trigger = service.home / "spool" / "1.trigger"
    begun = trigger.with_suffix(".new")
    begun.write_text("Attic Camera", encoding="utf-8")
    begun.rename(trigger)
    events = service.home / "events.jsonl"
    until(lambda: events.exists() and events.read_text().endswith("\n"))
    (event,) = map(json.loads, events.read_text().splitlines())
    assert (event["camera"], event["labels"]) == ("Attic Camera", ["Day"])
    until(lambda: not trigger.exists())
    picture = service.home / "gallery" / f"{event['event_id']}.jpg"
    until(picture.exists)
    assert picture.read_bytes() == jpeg(320, 240)

    assert service.check("delivered to lines")["ok"]
    assert service.check("archived to flat")["ok"]
    assert service.metric("deliveries_total", target="lines", outcome="ok") == 1
    assert service.metric("deliveries_total", target="flat", outcome="ok") == 1
    assert service.metric("triggers_total", origin="spool", outcome="accepted") == 1
    assert [archive["name"] for archive in service.http("GET", "/api/archives").json()["archives"]] == ["flat"]
    service.terminate()
    assert service.wait() == 0


def test_the_new_settings_are_listed(project: Path, launch: Launch) -> None:
    service = launch()
    service.environment["PYTHONPATH"] = str(project)
    service.forked = False
    listed = service.command("settings").stdout
    for name in ("OUTPUT_n_PATH", "DETECTOR_THRESHOLD", "PUBLISHER_n_PATH", "ARCHIVE_n_DIR", "SOURCE_n_DIR"):
        assert f"`{name}`" in listed
