"""config.yml is replaced as a whole or not at all, and put back where no start comes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import anew
from app.config.config_file import ConfigChanged, ConfigText, Trial


class BegunAnew(Exception):
    """The process would be another one now."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text("a: 1\n")
    path.chmod(0o640)
    return path


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(_environ: object) -> None:
        raise BegunAnew

    monkeypatch.setattr(anew, "begin_anew", begin)


def test_the_old_file_is_kept_with_its_rights(path: Path) -> None:
    ConfigText.read(path).replace("a: 2\n")
    assert path.read_text() == "a: 2\n"
    assert path.with_name("config.yml.bak").read_text() == "a: 1\n"
    assert [one.stat().st_mode & 0o777 for one in (path, path.with_name("config.yml.bak"))] == [0o640, 0o640]


def test_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "config.yml"
    link.parent.mkdir()
    link.symlink_to(path)
    ConfigText.read(link).replace("a: 2\n")
    assert link.is_symlink()
    assert path.read_text() == "a: 2\n"


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(path: Path) -> None:
    loaded = ConfigText.read(path)
    path.write_text("a: mine\n")
    with pytest.raises(ConfigChanged):
        loaded.replace("a: 2\n")
    assert path.read_text() == "a: mine\n"
    assert not Trial.of(path).running


@pytest.mark.usefixtures("process")
def test_a_start_that_comes_about_ends_the_trial(path: Path) -> None:
    ConfigText.read(path).replace("a: 2\n")
    with anew.trying(path, {}):
        assert Trial.of(path).begun == 1
    assert Trial.of(path) == Trial(path)
    with pytest.raises(RuntimeError), anew.trying(path, {}):  # an ordinary start fails as ever
        raise RuntimeError
    assert path.read_text() == "a: 2\n"


@pytest.mark.usefixtures("process")
def test_a_start_that_fails_begins_anew_with_the_file_before_it_and_says_why(path: Path) -> None:
    ConfigText.read(path).replace("a: 2\n")
    with pytest.raises(BegunAnew), anew.trying(path, {}):
        raise RuntimeError("the port is taken")
    assert path.read_text() == "a: 1\n"
    assert path.with_name("config.yml.refused").read_text() == "a: 2\n"
    assert Trial.of(path).refusal == "the port is taken"
    with pytest.raises(RuntimeError), anew.trying(path, {}):  # no circle
        raise RuntimeError
    assert Trial.of(path).refusal == "the port is taken"
    ConfigText.read(path).replace("a: 3\n")
    assert path.with_name("config.yml.refused").exists()
    with anew.trying(path, {}):
        pass
    assert not path.with_name("config.yml.refused").exists()


@pytest.mark.usefixtures("process")
def test_where_there_was_no_file_there_is_none_again(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    ConfigText.read(path).replace("a: 2\n")
    with pytest.raises(BegunAnew), anew.trying(path, {}):
        raise RuntimeError
    assert not path.exists()


@pytest.mark.usefixtures("process")
def test_a_start_that_is_killed_again_and_again_is_one_that_fails(path: Path) -> None:
    ConfigText.read(path).replace("a: 2\n")
    replace(Trial.of(path), begun=1).write()  # one may be somebody who stopped it
    with anew.trying(path, {}):
        pass
    ConfigText.read(path).replace("a: 3\n")
    replace(Trial.of(path), begun=2).write()
    with pytest.raises(BegunAnew), anew.trying(path, {}):
        pass
    assert path.read_text() == "a: 2\n"
    assert "before it had started" in Trial.of(path).refusal


@pytest.mark.usefixtures("process")
def test_a_file_that_somebody_has_mended_by_hand_is_left_alone(path: Path) -> None:
    ConfigText.read(path).replace("a: 2\n")
    path.write_text("a: mended\n")
    with pytest.raises(RuntimeError), anew.trying(path, {}):
        raise RuntimeError
    assert path.read_text() == "a: mended\n"
