"""1Password Connect, against a double of its server on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pylib.settings.credentials import CredentialRejected, CredentialUnavailable, Environment, Secret
from pylib.settings.onepassword import OnePassword
from tests.fakes.connect import TOKEN, Connect, connect_double

ITEM = "ENV.snapshot-processor"
FIELDS: list[dict[str, Any]] = [
    {"id": "1", "label": "APP_NAME", "value": "snapshot-processor", "section": {"id": "s"}},
    {"id": "2", "label": "FTP_PASS", "value": "hunter2", "type": "CONCEALED"},
    {"id": "3", "label": "notesPlain", "purpose": "NOTES"},
]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with connect_double() as double:
        double.add(ITEM, FIELDS)
        yield double


def client(connect: Connect, *, vault: str = "Home", token: str = TOKEN, timeout: float = 30) -> OnePassword:
    return OnePassword(connect.url, Secret(token), vault=vault, timeout=timeout, patience=0)


def test_fields_with_and_without_a_section_are_read_and_those_without_a_value_left_out(
    connect: Connect,
) -> None:
    assert client(connect).fields(ITEM) == {"APP_NAME": "snapshot-processor", "FTP_PASS": "hunter2"}


@pytest.mark.parametrize("vault", ["Home", "a" * 26, ""])
def test_the_vault_is_found_by_name_by_id_or_because_it_is_the_only_one(connect: Connect, vault: str) -> None:
    assert client(connect, vault=vault).fields(ITEM)["FTP_PASS"] == "hunter2"


def test_an_unknown_vault_is_refused_with_the_names_of_those_there_are(connect: Connect) -> None:
    connect.vaults["b" * 26] = "Office"
    with pytest.raises(CredentialRejected, match=r"OP_VAULT: there is no vault 'Attic', .* 'Home', 'Office'"):
        client(connect, vault="Attic").fields(ITEM)
    with pytest.raises(CredentialRejected, match="OP_VAULT: is required"):
        client(connect, vault="").fields(ITEM)


def test_a_missing_item_is_told_without_naming_what_else_is_there(connect: Connect) -> None:
    connect.add("Bank", [])
    with pytest.raises(CredentialRejected) as failure:
        client(connect).fields("ENV.other")
    assert failure.value.detail == "1Password: the vault has no item 'ENV.other', there must be one"


def test_an_archived_item_does_not_count_and_two_of_one_title_are_refused(connect: Connect) -> None:
    connect.add("ENV.two", FIELDS, state="ARCHIVED")
    connect.add("ENV.two", [{"label": "A", "value": "1"}])
    assert client(connect).fields("ENV.two") == {"A": "1"}
    connect.add("ENV.two", FIELDS)
    with pytest.raises(CredentialRejected, match=r"has 2 items 'ENV\.two'"):
        client(connect).fields("ENV.two")


def test_a_label_with_two_values_is_refused_without_showing_them(connect: Connect) -> None:
    connect.add("ENV.double", [{"label": "A", "value": "hunter2"}, {"label": "A", "value": "hunter3"}])
    with pytest.raises(CredentialRejected, match="two values for A") as failure:
        client(connect).fields("ENV.double")
    assert "hunter" not in str(failure.value)


def test_a_token_without_permission_is_final(connect: Connect) -> None:
    connect.statuses = [403]
    with pytest.raises(CredentialRejected, match=r"OP_CONNECT_TOKEN: .* refuses it \(403\)"):
        client(connect).fields(ITEM)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_no_final_answer(connect: Connect, status: int) -> None:
    connect.statuses = [status]
    with pytest.raises(CredentialUnavailable, match=f"answers {status}"):
        client(connect).fields(ITEM)


def test_the_token_goes_nowhere_but_to_the_server_that_is_named(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client(connect).fields(ITEM)["FTP_PASS"] == "hunter2"
    connect.statuses = [302]
    with pytest.raises(CredentialRejected, match="gives status 302"):
        client(connect).fields(ITEM)


def test_an_answer_without_end_is_refused(connect: Connect) -> None:
    connect.body = b"[" + b"1," * 2_500_000 + b"1]"
    with pytest.raises(CredentialRejected, match="gives more than 4000000 bytes"):
        client(connect).fields(ITEM)


def test_a_refused_token_is_final_and_not_shown(connect: Connect) -> None:
    with pytest.raises(CredentialRejected, match=r"OP_CONNECT_TOKEN: .* refuses it \(401\)") as failure:
        client(connect, token="wrong-token").fields(ITEM)
    assert "wrong-token" not in str(failure.value)
    assert len(connect.asked) == 1


def test_a_server_that_is_not_up_yet_is_asked_again(connect: Connect) -> None:
    connect.statuses = [503, 500]
    patient = OnePassword(connect.url, Secret(TOKEN), timeout=30, patience=10)
    assert patient.fields(ITEM)["FTP_PASS"] == "hunter2"


def test_a_server_that_stays_away_is_named_without_its_login() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{reserved.getsockname()[1]}"
        away = OnePassword(f"http://user:hunter2@{host}/", Secret(TOKEN), patience=0)
        with pytest.raises(CredentialUnavailable) as failure:
            away.fields(ITEM)
    assert failure.value.detail == f"1Password Connect at http://{host} cannot be reached"
    assert failure.value.__cause__ is None


@pytest.mark.timeout(30)
def test_an_answer_that_drips_is_given_up_in_bounded_time(connect: Connect) -> None:
    connect.drip.set()
    with pytest.raises(CredentialUnavailable, match=r"does not answer within 0\.3 s"):
        client(connect, timeout=0.3).fields(ITEM)


@pytest.mark.parametrize("body", [b"<html>hello</html>", b'"text"', b"[1]", b"{}", b"[" + b"1," * 2_500_000])
def test_an_answer_that_is_not_connects_is_refused(connect: Connect, body: bytes) -> None:
    connect.body = body
    with pytest.raises(CredentialRejected, match=r"OP_CONNECT_HOST: .* gives"):
        client(connect).fields(ITEM)


def test_it_is_configured_by_the_names_of_the_vendor(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "op_connect_token").write_text(f"{TOKEN}\n")
    environment = Environment({"OP_CONNECT_HOST": connect.url, "OP_VAULT": "Home"}, secrets=tmp_path)
    vault = OnePassword.from_environment(environment)
    assert vault is not None
    assert vault.fields(ITEM)["FTP_PASS"] == "hunter2"


def test_without_a_host_there_is_no_vault(tmp_path: Path) -> None:
    assert OnePassword.from_environment(Environment({"OP_CONNECT_TOKEN": TOKEN}, secrets=tmp_path)) is None


def test_a_host_without_a_token_or_scheme_is_refused(tmp_path: Path) -> None:
    for variables, problem in (
        ({"OP_CONNECT_HOST": "http://connect:8080"}, "OP_CONNECT_TOKEN: is required"),
        ({"OP_CONNECT_HOST": "connect:8080", "OP_CONNECT_TOKEN": TOKEN}, "OP_CONNECT_HOST: must be a URL"),
    ):
        with pytest.raises(CredentialRejected, match=problem):
            OnePassword.from_environment(Environment(variables, secrets=tmp_path))
