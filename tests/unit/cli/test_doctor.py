"""The report for an issue: whole without a service, and without anything that names somebody."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import check as checks
from app.cli.check import Finding, Verdict
from app.cli.doctor import doctor

CONFIG = """
data_dir: {data}
web: {{port: 9}}
cameras:
- {{kind: still, location: Garden of Ann, url: "http://cam.smith.example/a.jpg", password: hunter22x}}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    found = Finding("Garden of Ann", Verdict.WRONG, "cam.smith.example refuses the login")
    monkeypatch.setattr(checks, "check", lambda _settings: iter([found]))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.db").write_bytes(bytes(100))
    path = tmp_path / "config.yml"
    path.write_text(CONFIG.format(data=tmp_path / "data"))
    return path


def pages(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_a_report_has_what_an_issue_needs_and_names_nobody(config: Path, tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text("Garden of Ann: timeout\ncannot reach 10.1.2.3\n")
    done = CliRunner().invoke(doctor, ["--report", "mine.zip", "--log", str(log)], obj=config)
    assert (done.exit_code, done.stdout.startswith("Wrote mine.zip")) == (0, True)
    found = pages(tmp_path / "mine.zip")
    assert "snapshot-processor: " in found["versions.txt"]
    assert "kind: still" in found["settings.yml"]
    assert found["check.txt"] == "WRONG   <cameras[0].location>: <cameras[0].url> refuses the login\n"
    assert "journal.db: 100 in 1 files" in found["disk.txt"]
    assert "no service answers" in found["ready.json"]
    assert found["log.txt"] == "<cameras[0].location>: timeout\ncannot reach <address>\n"
    everything = "".join(found.values())
    assert not [word for word in ("Garden", "smith", "hunter22x", str(tmp_path)) if word in everything]


def test_a_report_is_never_written_over(config: Path, tmp_path: Path) -> None:
    for status in (0, 1):
        done = CliRunner().invoke(doctor, [], obj=config)
        assert done.exit_code == status
    assert "is there already" in done.stderr


def test_a_configuration_that_cannot_be_used_is_told_without_its_values(config: Path, tmp_path: Path) -> None:
    config.write_text("cameras: [{kind: stil, location: Garden of Ann}]\nweb: {port: many}\n")
    assert CliRunner().invoke(doctor, [], obj=config).exit_code == 0
    found = pages(tmp_path / "snapshot-report.zip")
    assert sorted(found) == ["settings.txt", "versions.txt"]
    assert "web.port" in found["settings.txt"]
    assert "Ann" not in found["settings.txt"]
