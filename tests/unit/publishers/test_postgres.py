"""What settings of a table in PostgreSQL may say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.publishers import PublisherContext, PublishError
from app.publishers.postgres import PostgresSettings, PostgresTable
from pylib.settings.credentials import Secret

URL = Secret("postgresql://ada:secret@localhost/home")


@pytest.mark.parametrize(
    "table", ["snapshots", "home.snapshots", "a" * 63, "ereignisse_für_alle", f"{'s' * 63}.{'t' * 63}"]
)
def test_a_table_is_a_name_with_or_without_a_schema(table: str) -> None:
    assert PostgresSettings(url=URL, table=table).table == table


@pytest.mark.parametrize("table", ["", "a b", "a.b.c", "a.", "drop;", "a" * 64, "ü" * 32, f"home.{'t' * 64}"])
def test_what_postgresql_would_cut_or_not_understand_is_refused(table: str) -> None:
    with pytest.raises(ValidationError):
        PostgresSettings(url=URL, table=table)


def test_an_address_that_makes_no_sense_is_said_at_the_start_and_without_its_password() -> None:
    settings = PostgresSettings(url=Secret("postgresql://ada:p@ss@localhost/home"))
    with pytest.raises(PublishError, match=r"^bad_address: `url` has more than one @") as refused:
        PostgresTable(settings, PublisherContext("table"))
    assert "p@ss" not in str(refused.value)
