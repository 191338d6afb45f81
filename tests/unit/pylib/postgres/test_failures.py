"""What PostgreSQL says becomes one code and one sentence, without what it says of logins and values."""

from __future__ import annotations

import psycopg
import pytest

from pylib.postgres import CODES, PostgresFailure, Session, quoted
from pylib.postgres.failures import no_session, refusal

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (psycopg.errors.UndefinedTable, "table_missing"),
        (psycopg.errors.InvalidSchemaName, "table_missing"),
        (psycopg.errors.UndefinedColumn, "table_unfit"),
        (psycopg.errors.DatatypeMismatch, "table_unfit"),
        (psycopg.errors.NotNullViolation, "table_unfit"),
        (psycopg.errors.InsufficientPrivilege, "not_allowed"),
        (psycopg.errors.ReadOnlySqlTransaction, "read_only"),
        (psycopg.errors.DiskFull, "disk_full"),
        (psycopg.errors.IoError, "disk_full"),
        (psycopg.errors.TooManyConnections, "server_busy"),
        (psycopg.errors.DeadlockDetected, "server_busy"),
        (psycopg.errors.LockNotAvailable, "server_busy"),
        (psycopg.errors.QueryCanceled, "timeout"),
        (psycopg.errors.AdminShutdown, "unreachable"),
        (psycopg.errors.CannotConnectNow, "unreachable"),
        (psycopg.errors.ConnectionFailure, "unreachable"),
        (psycopg.errors.UntranslatableCharacter, "row_refused"),
        (psycopg.OperationalError, "unreachable"),
    ],
)
def test_a_refusal_has_a_code_of_ours_and_nothing_of_the_servers_text(error: type[psycopg.Error], code: str) -> None:
    failure = refusal(error(f"it is {SECRET}"))
    assert failure.code == code
    assert code in CODES
    assert SECRET not in str(failure)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (f'FATAL:  password authentication failed for user "{SECRET}"', "login_refused"),
        ("fe_sendauth: no password supplied", "login_refused"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "x", database "y", no encryption', "login_refused"),
        (f'FATAL:  role "{SECRET}" does not exist', "login_refused"),
        (f'FATAL:  database "{SECRET}" does not exist', "database_missing"),
        ("FATAL:  no such database: y", "database_missing"),  # PgBouncer
        ("FATAL:  sorry, too many clients already", "server_busy"),
        ("FATAL:  the database system is starting up", "unreachable"),
        ("FATAL:  the database system is not yet accepting connections", "unreachable"),
        ("connection timeout expired", "timeout"),
        ("server does not support SSL, but SSL was required", "tls"),
        ("SSL error: certificate verify failed", "tls"),
        ("connection is bad: invalid port number: 99999", "bad_address"),
        ('FATAL:  Passwort-Authentifizierung für Benutzer "x" fehlgeschlagen', "login_refused"),
        ("Connection refused", "unreachable"),
    ],
)
def test_a_connection_that_does_not_come_about_says_why(said: str, code: str) -> None:
    failure = no_session(psycopg.OperationalError(f"connection failed: {said}"), host="db")
    if said.startswith("connection is"):
        failure = no_session(psycopg.OperationalError(said), host="db")
    assert failure.code == code
    assert code in CODES
    assert SECRET not in str(failure)


@pytest.mark.parametrize(
    "address",
    [SECRET, f"host=db password={SECRET}", f"mysql://u:{SECRET}@h", f"postgresql://u:{SECRET}@h/d?{SECRET}=1", ""],
)
def test_an_address_that_is_none_is_not_repeated(address: str) -> None:
    with pytest.raises(PostgresFailure, match="`url` cannot be used") as failed:
        Session(address, timeout=1, name="test")
    assert failed.value.code == "bad_address"
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize("rest", ["!@db.example/home", "/x@db.example/home", "?x@db.example/home"])
def test_a_password_with_an_at_in_it_does_not_become_a_host(rest: str) -> None:
    with pytest.raises(PostgresFailure, match="write each but that before the host as %40") as failed:
        Session(f"postgresql://someone:Winter@{SECRET}{rest}", timeout=1, name="test")
    assert failed.value.code == "bad_address"
    assert SECRET not in str(failed.value)
    assert Session("postgresql://someone:Winter%40Beach@db.example/home", timeout=1, name="test").host == "db.example"


def test_a_host_that_nobody_could_look_up_is_a_bad_address() -> None:
    session = Session(f"postgresql://{'a' * 70}/d", timeout=1, name="test")
    with pytest.raises(PostgresFailure, match="cannot be") as failed:
        session.run("SELECT 1")
    assert failed.value.code == "bad_address"


def test_a_name_stays_a_name() -> None:
    assert quoted("home.my-events") == '"home"."my-events"'
    assert quoted('x"; DROP TABLE y; --') == '"x""; DROP TABLE y; --"'
