"""The command that sends a test message."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.failures import EXIT_CONFIG
from app.cli.main import main
from app.rules.subscribers import Subscriber
from tests.fakes.browser import FakeBrowser
from tests.fakes.http_double import http_double
from tests.fakes.journal import opened
from tests.fakes.logging_state import restored_logging

CONFIG = """
data_dir: {folder}
detector: {{kind: none}}
publishers:
  - {{kind: webpush, name: push, subject: "mailto:ann@home.example", allow_private: true}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yml"
    file.write_text(CONFIG.format(folder=tmp_path))
    return file


def notify(config: Path, name: str) -> Result:
    with restored_logging():
        return CliRunner().invoke(main, ["--config", str(config), "notify", "test", name])


def test_it_tells_the_browsers_that_the_journal_knows_while_no_service_runs(config: Path, tmp_path: Path) -> None:
    with http_double() as service:
        browser = FakeBrowser(f"{service.url}/ann")
        with opened(tmp_path / "journal.db") as journal:
            journal.subscribe(browser.subscriber)
            journal.subscribe(Subscriber(f"{service.url}/other", "garden", "", "", ""))
        sent = notify(config, "push")
        assert (sent.exit_code, sent.stdout) == (0, "push has the test message\n")
        (seen,) = service.seen
        assert browser.read(seen.body)["title"] == "Person at Test"


def test_what_fails_is_one_line_and_a_status(config: Path) -> None:
    nobody = notify(config, "push")
    assert (nobody.exit_code, nobody.stderr.partition(":")[0]) == (1, "nobody_subscribed")
    slip = notify(config, "psuh")
    assert (slip.exit_code, slip.stderr) == (
        1,
        "unknown_outlet: no outlet 'psuh' tells people; did you mean push?\n",
    )
    config.write_text("publishers: [{kind: webpush}]")
    assert notify(config, "push").exit_code == EXIT_CONFIG
