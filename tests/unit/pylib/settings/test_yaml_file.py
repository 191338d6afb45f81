"""YAML read strictly: what is refused, in which words, and that a place can be told afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pylib.settings.yaml_file import YamlError, read_yaml


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("config.yml")


def refusal(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(YamlError) as failure:
        read_yaml(file)
    return failure.value.detail


def test_a_file_says_what_it_says_and_an_empty_one_nothing(file: Path) -> None:
    file.write_text("web:\n  port: 80\ncameras:\n  - location: Front\n")
    assert read_yaml(file).values == {"web": {"port": 80}, "cameras": [{"location": "Front"}]}
    file.write_text("# only comments\n")
    assert read_yaml(file).values == {}


def test_the_place_of_a_value_has_its_line(file: Path) -> None:
    file.write_text("web:\n  port: 80\n\ncameras:\n  - location: Front\n  - location: Back\n    timeout: 3\n")
    read = read_yaml(file)
    assert read.where(("cameras", 1, "timeout")) == "config.yml: cameras[1].timeout (line 7)"
    assert read.where(("web", "host")) == "config.yml: web.host (line 2)"
    assert read.where(("log", "level")) == "config.yml: log.level"


def test_anchors_and_merge_keys_work(file: Path) -> None:
    file.write_text("a: &login {user: me, timeout: 1}\nb:\n  <<: *login\n  timeout: 2\n")
    assert read_yaml(file).values["b"] == {"user": "me", "timeout": 2}


def tenfold(line: str) -> str:
    """Eight levels, each of which has the one before ten times."""
    levels = (line.format(n, ", ".join([f"*a{n - 1}"] * 10)) for n in range(1, 9))
    return "\n".join(("a0: &a0 {k: 1}", *levels))


@pytest.mark.parametrize(
    ("text", "line"),
    [(tenfold("a{0}: &a{0} {{<<: [{1}]}}"), 7), (tenfold("a{0}: &a{0} [{1}]"), 7), ("a: &a {b: [*a]}", 1)],
    ids=["merged", "repeated", "endless"],
)
def test_a_few_lines_that_stand_for_millions_are_refused(file: Path, text: str, line: int) -> None:
    detail = refusal(file, text)
    assert detail.startswith(f"config.yml: line {line}, column ")
    assert detail.endswith("with all that `*` and `<<` repeat, it has more than 400000 keys and values")


def test_a_file_that_is_too_large_is_not_read_whole(file: Path) -> None:
    assert refusal(file, "#" * 4_000_001) == "config.yml: has more than 4 MB"


def test_a_key_given_twice_is_refused_with_both_lines(file: Path) -> None:
    text = "web:\n  port: 80\nlog: {}\nweb:\n  host: x\n"
    assert refusal(file, text) == "config.yml: line 4, column 1: web stands here again, it was given in line 1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a:\n\tb: 1",
            "line 2, column 1: found character '\\t' that cannot start any token; indent with spaces",
        ),
        ("a: [1,", "line 1, column 7: expected the node content, but found '<stream end>'"),
        ("a: b: c", "line 1, column 5: mapping values are not allowed here; a value that holds ': '"),
        ("on: 1", "line 1, column 1: a key that is not text: put it in quotes"),
        ("a: 2024-13-45", "line 1, column 4: a value that looks like a date or number and is none"),
        ("a: 1\n---\nb: 2", "line 2, column 1: found another document"),
        ("- a", "must consist of lines such as `key: value`"),
        ("a: \x01", "holds characters that YAML does not allow"),
        ("[" * 600, "is nested too deeply"),
        ("a: !!python/object/apply:os.system [x]", "could not determine a constructor"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_place(file: Path, text: str, problem: str) -> None:
    detail = refusal(file, text)
    assert detail.startswith("config.yml: ")
    assert problem in detail
    assert "\n" not in detail


@pytest.mark.parametrize(
    "text",
    [
        "password: *hunter2",
        "password: !hunter2 x",
        "password: 'hunter2",
        'password: "\\qhunter2"',
        "password: {hunter2",
        "password: ab: hunter2",
        "password: 'a' hunter2",
        "%hunter2",
        "hunter2",
    ],
)
def test_no_complaint_quotes_what_may_be_a_password(file: Path, text: str) -> None:
    assert "hunter2" not in refusal(file, text)


def test_a_file_that_cannot_be_read_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(YamlError, match=r"config\.yml: cannot be read: No such file or directory"):
        read_yaml(file)
    with pytest.raises(YamlError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)
    file.write_bytes(b"a: \xff")
    with pytest.raises(YamlError, match="not UTF-8 text"):
        read_yaml(file)


def test_what_the_parser_in_c_reads_is_what_the_one_in_python_reads(file: Path) -> None:
    text = (
        "a: [1, 1.5, yes, null, 2024-03-04, '1']\nb: {c: 0x1f, d: 1_000, e: ~}\n"
        "f: |\n  two\n  lines\nürl: http://x/?a=b#c\n"
    )
    file.write_text(text)
    assert read_yaml(file).values == yaml.safe_load(text)


def test_a_file_that_is_nested_deeply_ends_in_an_error_and_not_the_process(file: Path) -> None:
    assert refusal(file, "- " * 100_000) == "config.yml: is nested too deeply"
