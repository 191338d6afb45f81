"""What PostgreSQL refuses and why, by its SQLSTATE or, before there is a session, by what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pylib.observability.printable import printable

if TYPE_CHECKING:
    import psycopg

CODES = {
    "not_installed": ("The package psycopg is missing.", "install snapshot-processor[postgres]"),
    "bad_address": (
        "The setting `url` is no address of a PostgreSQL database.",
        "correct it: postgresql://user:password@host/name",
    ),
    "unreachable": ("PostgreSQL could not be reached.", "look at server and network; the service tries again"),
    "timeout": ("PostgreSQL did not answer in time.", "look at server and locks; the service tries again"),
    "tls": ("No trusted connection to PostgreSQL came about.", "look at certificates, and at `sslmode` in `url`"),
    "login_refused": ("PostgreSQL does not accept this login.", "correct user and password in `url`, or pg_hba.conf"),
    "database_missing": ("PostgreSQL has no such database.", "make it with createdb, or correct `url`"),
    "table_missing": ("The table is not there.", "make it, or set `make_table`"),
    "not_allowed": ("This user may not do that in the database.", "grant it what docs/tables.md lists"),
    "table_unfit": (
        "The table has another shape than ours.",
        "name another table, or bring it to the documented shape",
    ),
    "row_refused": ("PostgreSQL does not take this row.", "look at the reason in the log"),
    "read_only": ("The database only reads now, as a standby does.", "connect to the primary; the service tries again"),
    "disk_full": ("PostgreSQL's disk is full.", "make room there; the service tries again"),
    "server_busy": ("PostgreSQL has no room for this now.", "nothing, if it passes: the service tries again"),
}
"""Code -> what happened, and what to do about it."""

_STATES = {
    "42P01": ("table_missing", "The table is not there."),
    "3F000": ("table_missing", "The table's schema is not there."),
    "42501": ("not_allowed", "This user may not do that in the database."),
    "25006": ("read_only", "The database only reads now, as a standby does."),
    "53100": ("disk_full", "PostgreSQL's disk is full."),
    "57014": ("timeout", "PostgreSQL gave the statement up: it took too long, or somebody ended it."),
    "28P01": ("login_refused", "PostgreSQL refuses this user or password."),
    "28000": ("login_refused", "PostgreSQL refuses this user, or this way to log in."),
    "3D000": ("database_missing", "PostgreSQL has no such database."),
    # A column that is missing, has another type, has to be given, or no key on `id`.
    "42703": ("table_unfit", "The table lacks a column of ours."),
    "42804": ("table_unfit", "A column of the table has another type than ours."),
    "42P10": ("table_unfit", "The table has no primary key of `id` alone."),
    "42809": ("table_unfit", "What has the table's name is no table."),
    "23502": ("table_unfit", "The table has a column that has to be given, and is not ours."),
}
"""SQLSTATE -> our code, and a sentence."""

_CLASSES = {
    "08": ("unreachable", "The connection to PostgreSQL broke."),
    "57": ("unreachable", "PostgreSQL is shutting down or starting."),
    "53": ("server_busy", "PostgreSQL has no room for this now."),
    "40": ("server_busy", "PostgreSQL gave way to another transaction."),
    "55": ("server_busy", "Another transaction has locked the table."),
    "58": ("disk_full", "PostgreSQL cannot use its files."),
}
"""The first two characters of a SQLSTATE -> the same."""

_SAID = (
    (r'database ".*" does not exist|no such database', "3D000"),
    (r"password authentication failed|no password supplied|SASL auth|authentication failed", "28P01"),
    (r"no pg_hba\.conf entry|role .* does not exist|is not permitted to log in", "28000"),
    (r"too many (clients|connections)|remaining connection slots", "53300"),
    (r"starting up|shutting down|recovery mode|not yet accepting", "57P03"),
)
"""What a server says that lets nobody in, where it speaks English -> the SQLSTATE that libpq keeps to itself."""
_TLS = re.compile(r"SSL|certificate|TLS")
_SILENT = re.compile(r"timeout expired|timed out", re.IGNORECASE)
_UNUSABLE = re.compile(r"connection is bad: invalid|^bad value for")


class PostgresFailure(Exception):
    """A statement was not carried out. Its text is the sentence, without address, login or values."""

    def __init__(self, code: str, sentence: str) -> None:
        """`code`: of `CODES`."""
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def refusal(error: psycopg.Error) -> PostgresFailure:
    """The failure of a statement."""
    state = error.sqlstate or ""
    named = _STATES.get(state) or _CLASSES.get(state[:2])
    if named:
        return PostgresFailure(*named)
    if not state and type(error).__name__ == "DataError":
        return PostgresFailure("row_refused", "A value cannot be sent to PostgreSQL.")  # before it saw any of it
    if not state:
        return PostgresFailure("unreachable", "The connection to PostgreSQL broke.")
    return PostgresFailure("row_refused", f"PostgreSQL refuses the statement with SQLSTATE {printable(state)}.")


def no_session(error: Exception, *, host: str) -> PostgresFailure:
    """The failure of a connection that did not come about. `host`: for people, without the login."""
    said = str(error)
    if _UNUSABLE.search(said) or isinstance(error, UnicodeError):
        return PostgresFailure("bad_address", "`url` has a host, port or option that cannot be.")
    state = next((state for pattern, state in _SAID if re.search(pattern, said)), "")
    named = _STATES.get(state) or _CLASSES.get(state[:2])
    if named:
        return PostgresFailure(*named)
    if _SILENT.search(said):
        return PostgresFailure("timeout", f"PostgreSQL at {host} did not answer in time.")
    if _TLS.search(said):
        return PostgresFailure("tls", f"No trusted connection to PostgreSQL at {host}: check certificates and sslmode.")
    if "FATAL" in said:  # in another language
        return PostgresFailure("login_refused", f"PostgreSQL at {host} does not let us in: its own log says why.")
    return PostgresFailure("unreachable", f"No connection to PostgreSQL at {host}.")
