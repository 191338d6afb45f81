"""Secrets by name: variables, files they name, mounted files, a vault's values."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylib.settings.credentials import MAX_FILE_BYTES, CredentialRejected, Environment


def value(environment: Environment, *names: str) -> str | None:
    found = environment.get(*names)
    return found.value if found else None


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    return directory


def test_a_variable_goes_before_a_named_file_before_a_mounted_one_before_the_vault(
    secrets: Path, tmp_path: Path
) -> None:
    named = tmp_path / "named"
    named.write_text("from the named file")
    (secrets / "web_password").write_text("from the mounted file")
    variables = {"WEB_PASSWORD": "from the variable", "WEB_PASSWORD_FILE": str(named)}
    environment = Environment(variables, secrets=secrets, vault={"WEB_PASSWORD": "from the vault"})

    assert value(environment, "WEB_PASSWORD") == "from the variable"
    del variables["WEB_PASSWORD"]
    assert value(environment, "WEB_PASSWORD") == "from the named file"
    del variables["WEB_PASSWORD_FILE"]
    assert value(environment, "WEB_PASSWORD") == "from the mounted file"
    (secrets / "web_password").unlink()
    later = Environment(variables, secrets=secrets, vault={"WEB_PASSWORD": "from the vault"})
    assert value(later, "WEB_PASSWORD") == "from the vault"


def test_an_empty_value_counts_as_not_set(secrets: Path) -> None:
    (secrets / "TZ").write_text("\n")
    environment = Environment({"TZ": " ", "TZ_FILE": ""}, secrets=secrets, vault={"TZ": "UTC"})
    assert value(environment, "TZ") == "UTC"
    assert value(Environment({"TZ": ""}, secrets=secrets), "TZ") is None


def test_a_mounted_file_may_be_named_in_capitals_or_small_letters(secrets: Path) -> None:
    (secrets / "FTP_PASS").write_text("one")
    (secrets / "sentry_dsn").write_text("two")
    environment = Environment({}, secrets=secrets)
    assert (value(environment, "FTP_PASS"), value(environment, "SENTRY_DSN")) == ("one", "two")


def test_the_content_of_a_file_is_stripped_and_a_variable_is_not(secrets: Path) -> None:
    (secrets / "a").write_text("\ufeff secret \r\n")
    environment = Environment({"B": " secret "}, secrets=secrets)
    assert (value(environment, "A"), value(environment, "B")) == ("secret", " secret ")


def test_an_alias_set_as_a_variable_goes_before_the_first_name_in_a_file(secrets: Path) -> None:
    (secrets / "time_zone").write_text("UTC")
    assert value(Environment({"TZ": "Europe/Berlin"}, secrets=secrets), "TIME_ZONE", "TZ") == "Europe/Berlin"


def test_where_a_value_stood_can_be_told_and_the_value_itself_is_not_shown(secrets: Path) -> None:
    (secrets / "a").write_text("hunter2")
    environment = Environment({"B": "hunter2"}, secrets=secrets, vault={"C": "hunter2"}, vault_name="1Password x")
    found = [environment.get(name) for name in "ABC"]
    assert [one.where for one in found if one] == [str(secrets / "a"), "environment: B", "1Password x: C"]
    assert "hunter2" not in repr(found)


def test_a_file_that_cannot_be_read_is_a_problem_that_does_not_show_its_name(secrets: Path) -> None:
    with pytest.raises(CredentialRejected) as failure:
        Environment({"A_FILE": "hunter2"}, secrets=secrets).get("A")
    reason = "the file that it names cannot be read: No such file or directory"
    assert failure.value.detail == f"environment: A_FILE: {reason}"


@pytest.mark.parametrize(("content", "problem"), [(b"\xff\xfe\x00", "UTF-8"), (b"x" * (MAX_FILE_BYTES + 1), "larger")])
def test_a_file_that_is_no_secret_is_refused_without_quoting_it(secrets: Path, content: bytes, problem: str) -> None:
    (secrets / "a").write_bytes(content)
    with pytest.raises(CredentialRejected, match=problem) as failure:
        Environment({}, secrets=secrets).get("A")
    assert "xxx" not in failure.value.detail


def test_all_names_that_may_have_a_value_are_listed(secrets: Path) -> None:
    (secrets / "output_3_password").write_text("x")
    environment = Environment({"A": "x", "OUTPUT_1_TYPE_FILE": "/f"}, secrets=secrets, vault={"V": "x"})
    assert environment.names() >= {"A", "OUTPUT_1_TYPE", "OUTPUT_1_TYPE_FILE", "OUTPUT_3_PASSWORD", "V"}


def test_without_a_directory_of_secrets_there_are_none(tmp_path: Path) -> None:
    assert value(Environment({}, secrets=tmp_path / "none"), "A") is None
