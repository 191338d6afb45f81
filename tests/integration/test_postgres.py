"""Events in a table of PostgreSQL, against a private server: written once, over outages, and for people to ask."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from app.messages import Inspection, Review
from app.publishers import PublisherContext, PublishUnavailable
from app.publishers.postgres import CODES, PostgresSettings, PostgresTable
from tests.e2e.process import until
from tests.fakes.messages import an_event
from tests.postgres import PASSWORD, PostgresServer
from tests.unit.docs.pages import blocks

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
SILENT_S = 1.0

Make = Callable[..., PostgresTable]


@pytest.fixture
def make(postgres: PostgresServer, name: str) -> Iterator[Make]:
    outlets: list[PostgresTable] = []

    def made(*, now: datetime = NOW, **settings: Any) -> PostgresTable:
        values = {"url": postgres.url(), "table": name, **settings}
        outlets.append(
            PostgresTable(PostgresSettings.model_validate(values), PublisherContext("table"), now=lambda: now)
        )
        return outlets[-1]

    yield made
    for outlet in outlets:
        outlet._session.close()


def refused(attempt: Callable[[], object]) -> PublishUnavailable:
    """Why it does not work now: in one sentence, without the password."""
    with pytest.raises(PublishUnavailable) as failed:
        attempt()
    assert failed.value.code in CODES
    assert PASSWORD not in str(failed.value)
    return failed.value


@contextmanager
def someone(postgres: PostgresServer, *statements: str) -> Iterator[psycopg.Connection[Any]]:
    """Another program, in a transaction of its own."""
    with psycopg.connect(postgres.url()) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        yield connection
        connection.rollback()


def test_the_table_is_made_and_people_find_rows_by_camera_and_time(
    make: Make, postgres: PostgresServer, name: str
) -> None:
    outlet = make(table=f"public.{name}", keep_days=2)
    assert outlet.check() == f"table public.{name} at 127.0.0.1, which will be made"
    hostile = 'Küche\'; DROP TABLE "x"; -- %s \\'
    for number, place in enumerate(("Yard", hostile, "Yard")):
        outlet.publish(an_event(number, place=place, minutes=-number))
    assert make().check() == f"table {name} at 127.0.0.1"
    found = postgres.ask(
        f"SELECT id, label, labels -> 0 ->> 'name', expires - written_at FROM \"{name}\" ORDER BY camera, time_s"
    )
    assert found == [
        (an_event(1).id, hostile, "Person", timedelta(days=2)),
        (an_event(2).id, "Yard", "Person", timedelta(days=2)),
        (an_event(0).id, "Yard", "Person", timedelta(days=2)),
    ]
    indexes = postgres.ask("SELECT indexdef FROM pg_indexes WHERE tablename = %s ORDER BY indexdef", [name])
    assert [one[0].partition(" USING ")[2] for one in indexes] == [
        'btree (camera, "time")',
        "btree (expires) WHERE (expires IS NOT NULL)",
        'btree ("time")',
        "btree (id)",
    ]


def test_an_event_is_written_once_and_only_what_is_seen_and_said_changes(
    make: Make, postgres: PostgresServer, name: str
) -> None:
    def row() -> list[Any]:
        return postgres.ask(f'SELECT *, xmin::text FROM "{name}"')

    event = an_event(1)
    make().publish(event)
    first = row()
    later = make(now=datetime(2027, 1, 1, tzinfo=UTC))
    later.publish(event)
    assert row() == first  # not even written anew
    for labels, state in ((("Cat", "Straße\0"), "corrected"), (("person",), "confirmed"), (None, "open")):
        later.publish(replace(event, detector="other", review=Review(labels)))
        ((found,),) = postgres.ask(f'SELECT to_jsonb(t) FROM "{name}" t')
        assert found["review"] == state
        assert found["review_labels"] == (None if labels is None else [one.replace("\0", "\ufffd") for one in labels])
        assert (found["detector"], found["written_at"][:10]) == ("other", "2026-03-05")
    for _ in range(2):
        later.publish(replace(event, review=Review(deleted=True)))
    assert row() == []


def test_a_connection_that_the_server_cuts_or_a_restart_in_between_costs_no_attempt(
    make: Make, postgres: PostgresServer, name: str
) -> None:
    outlet = make()
    outlet.publish(an_event(1))
    sessions = "FROM pg_stat_activity WHERE application_name = 'snapshot-processor'"
    ((state, cut),) = postgres.ask(f"SELECT state, pg_terminate_backend(pid, 10000) {sessions}")
    assert (state, cut) == ("idle", True)  # no transaction is left open
    outlet.publish(an_event(2))
    postgres.stop()
    assert refused(lambda: outlet.publish(an_event(3))).code == "unreachable"
    postgres.start()
    outlet.publish(an_event(3))
    postgres.stop()
    postgres.start()
    outlet.publish(an_event(4))
    assert postgres.ask(f'SELECT count(*) FROM "{name}"') == [(4,)]


def test_a_lock_is_not_waited_for_longer_than_the_time_limit_and_leaves_nothing_behind(
    make: Make, postgres: PostgresServer, name: str
) -> None:
    outlet = make(timeout=SILENT_S)
    outlet.publish(an_event(1))
    with someone(postgres, f'LOCK TABLE "{name}"'):
        assert refused(lambda: outlet.publish(an_event(2))).code == "timeout"
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        assert postgres.ask(waiting) == [(0,)]
    outlet.publish(an_event(2))
    assert postgres.ask(f'SELECT count(*) FROM "{name}"') == [(2,)]


def test_a_server_that_hangs_is_left_for_a_new_connection(make: Make, postgres: PostgresServer, name: str) -> None:
    outlet = make(timeout=SILENT_S)
    outlet.publish(an_event(1))
    ((pid,),) = postgres.ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'snapshot-processor'")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert refused(lambda: outlet.publish(an_event(2))).code == "timeout"
        outlet.publish(an_event(3))
    finally:
        os.kill(pid, signal.SIGCONT)
    outlet.publish(an_event(2))
    assert postgres.ask(f'SELECT count(*) FROM "{name}"') == [(3,)]


def test_bad_addresses_and_logins_are_one_sentence_each(make: Make, postgres: PostgresServer) -> None:
    found = {
        refused(make(url=url).check).detail
        for url in (
            postgres.url(password="wrong"),
            postgres.url(user="nobody-knows"),
            postgres.url(database="nö"),
            "postgresql://u:p@nowhere.invalid/d",
        )
    }
    assert found == {
        "PostgreSQL refuses this user or password.",
        "PostgreSQL has no such database.",
        "No connection to PostgreSQL at nowhere.invalid.",
    }


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ("id text PRIMARY KEY", "table_unfit"),
        ("LIKE {0}", "table_unfit"),  # without its key
        ("LIKE {0} INCLUDING ALL, mine text NOT NULL", "table_unfit"),
    ],
)
def test_a_table_of_another_shape_is_said_and_left_alone(
    make: Make, postgres: PostgresServer, name: str, columns: str, code: str
) -> None:
    make(table=f"{name}-ours").publish(an_event())
    fitting = f'"{name}-ours"'
    postgres.ask(f'CREATE TABLE "{name}" ({columns.format(fitting)})')
    assert refused(lambda: make().publish(an_event())).code == code
    assert postgres.ask(f'SELECT count(*) FROM "{name}"') == [(0,)]


def test_columns_of_your_own_and_other_rights_are_left_to_you(make: Make, postgres: PostgresServer, name: str) -> None:
    make().publish(an_event(1))
    for statement in (
        f'ALTER TABLE "{name}" ADD COLUMN mine text',
        f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'x'",
    ):
        postgres.ask(statement)
    writer = make(url=postgres.url(user=name, password="x"))
    assert refused(lambda: writer.publish(an_event(2))).code == "not_allowed"
    maker = make(url=postgres.url(user=name, password="x"), table=f"{name}-2")
    assert refused(lambda: maker.publish(an_event())).code == "not_allowed"
    postgres.ask(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{name}" TO "{name}"')
    writer.publish(an_event(2))  # it needs no right to make tables
    writer.publish(replace(an_event(2), review=Review(("Cat",))))
    assert postgres.ask(f'SELECT review FROM "{name}" ORDER BY id') == [("open",), ("corrected",)]


def test_without_the_table_events_wait_until_somebody_makes_it(make: Make, postgres: PostgresServer, name: str) -> None:
    waiting = make(make_table=False)
    for attempt in (waiting.check, lambda: waiting.publish(an_event(1))):
        assert refused(attempt).detail == f"There is no table {name} at 127.0.0.1: make it, or set `make_table`."
    maker = make()
    maker.publish(an_event(2))
    waiting.publish(an_event(1))
    postgres.ask(f'DROP TABLE "{name}"')
    assert refused(lambda: maker.publish(an_event(3))).code == "table_missing"
    maker.publish(an_event(3))
    assert postgres.ask(f'SELECT count(*) FROM "{name}"') == [(1,)]


@pytest.mark.parametrize(
    ("state", "code"),
    [("53100", "disk_full"), ("25006", "read_only"), ("40P01", "server_busy"), ("P0001", "row_refused")],
)
def test_what_the_server_refuses_the_event_waits(
    make: Make, postgres: PostgresServer, name: str, state: str, code: str
) -> None:
    make().publish(an_event(1))
    postgres.ask(
        f"""CREATE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'of %', NEW.id USING ERRCODE = '{state}'; END $$;
            CREATE TRIGGER t BEFORE INSERT ON "{name}" FOR EACH ROW EXECUTE FUNCTION "{name}"()"""
    )
    outlet = make()
    failure = refused(lambda: outlet.publish(an_event(2)))
    assert failure.code == code
    assert an_event(2).id not in failure.detail
    # Only what concerns one row alone is no outage, and is given up one day.
    assert (code in outlet.abandon_after) is (not failure.outage) is (code == "row_refused")
    postgres.ask(f'DROP TRIGGER t ON "{name}"')
    outlet.publish(an_event(2))


def test_a_standby_is_no_place_for_rows(make: Make, postgres: PostgresServer, name: str) -> None:
    make().publish(an_event(1))
    postgres.ask("ALTER DATABASE postgres SET default_transaction_read_only = on")
    outlet = make()
    try:
        assert refused(lambda: outlet.publish(an_event(2))).code == "read_only"
    finally:
        with psycopg.connect(postgres.url(), autocommit=True, options="-c default_transaction_read_only=off") as other:
            other.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
    outlet.publish(an_event(2))  # by a new connection: the old one led to what is a standby still
    assert postgres.ask(f'SELECT count(*) FROM "{name}"') == [(2,)]


def test_old_rows_go_in_parts_while_events_are_written(
    make: Make, postgres: PostgresServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.publishers.postgres.AT_ONCE", 2)
    make().clean()  # before there is a table
    outlet = make(keep_days=1)
    for number in range(5):
        outlet.publish(an_event(number))
    make().publish(an_event(5))  # to stay for ever
    later = make(keep_days=1, now=NOW + timedelta(days=2))
    with someone(postgres, f'SELECT * FROM "{name}" WHERE expires IS NOT NULL FOR UPDATE'):
        cleaning = threading.Thread(target=later.clean)
        cleaning.start()
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        until(lambda: postgres.ask(waiting), what="old rows are being deleted")
        later.publish(an_event(6))
    cleaning.join(30)
    kept = postgres.ask(f'SELECT id FROM "{name}" ORDER BY id')
    assert kept == [(an_event(5).id,), (an_event(6).id,)]


def test_old_rows_are_deleted_by_a_thread_where_there_are_any_to_go(make: Make) -> None:
    assert [thread.name for thread in make(keep_days=1).threads] == ["old rows of table"]
    assert not make().threads
    with capture_logs() as logs:
        make(url="postgresql://u:p@127.0.0.1:9/d").clean()
    assert [line["event"] for line in logs] == ["old rows are not deleted now"]


def test_what_the_page_asks_is_answered(make: Make, postgres: PostgresServer, name: str) -> None:
    asked = [block.text for block in blocks("sql") if block.page == "docs/tables.md"]
    postgres.ask(f'CREATE SCHEMA "{name}"')
    event = an_event(seen=[("Person", 2), ("Dog", 1)])
    soon = datetime.now(UTC) + timedelta(hours=1)  # whatever the day is by then
    make(table=f"{name}.snapshots").publish(replace(event, snapshot=replace(event.snapshot, taken_at=soon)))
    questions = [question for block in asked for question in block.split("\n\n") if "SELECT" in question]
    with psycopg.connect(postgres.url(), options=f'-c search_path="{name}"') as someone:
        seen, days, labels = (someone.execute(question.encode()).fetchall() for question in questions)
    assert [row[1] for row in seen] == [2]
    assert [row[1:] for row in days] == [("Front Door Camera", 1)]
    assert {row[0]: float(row[2]) for row in labels} == {"Person": 0.97, "Dog": 0.97}


def test_nothing_is_prepared_so_that_a_pooler_may_stand_between(make: Make) -> None:
    outlet = make()
    for number in range(7):  # psycopg would prepare what it has seen five times
        outlet.publish(an_event(number))
    assert outlet._session.run("SELECT count(*) FROM pg_prepared_statements") == [(0,)]


def test_several_threads_may_write(make: Make, postgres: PostgresServer, name: str) -> None:
    outlet = make()

    def write(event: Inspection) -> None:
        outlet.publish(event)

    threads = [threading.Thread(target=write, args=[an_event(number)]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert postgres.ask(f'SELECT count(*) FROM "{name}"') == [(20,)]


def test_several_outlets_may_make_the_table_at_once(make: Make, postgres: PostgresServer, name: str) -> None:
    outlets = [make(table=name) for _ in range(6)]
    failed: list[Exception] = []
    together = threading.Barrier(len(outlets))

    def write(number: int) -> None:
        together.wait()
        try:
            outlets[number].publish(an_event(number))
        except PublishUnavailable as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(outlets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert postgres.ask(f'SELECT count(*) FROM "{name}"') == [(6,)]
    assert postgres.ask(f"SELECT count(*) FROM pg_indexes WHERE tablename = '{name}'") == [(4,)]
