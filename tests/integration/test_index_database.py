"""The database of the shared index: made once, refused with a sentence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.index.database import CODES, IndexDatabase, IndexUnavailable
from app.index.schema import SCHEMA
from tests.fakes.index import an_index
from tests.postgres import PASSWORD, PostgresServer


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return an_index(postgres)


def test_several_that_begin_at_once_make_the_tables_once_and_each_has_a_number(postgres: PostgresServer) -> None:
    url = an_index(postgres)
    databases = [IndexDatabase(url, device_name=name, timeout=30) for name in "abc"]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda one: one.ready(), databases))
    assert sorted(one.owner for one in databases) == [0, 1, 2]
    assert len({one.identity for one in databases}) == 1
    for one in databases:
        one.close()


def refused(url: str) -> IndexUnavailable:
    with pytest.raises(IndexUnavailable) as failed:
        IndexDatabase(url, device_name="here", timeout=2).ready()
    with pytest.raises(IndexUnavailable) as looked:
        IndexDatabase(url, device_name="here", timeout=2).look()
    assert looked.value.code == failed.value.code
    assert failed.value.code in CODES
    assert PASSWORD not in str(failed.value)
    return failed.value


def test_an_index_of_a_newer_release_is_refused_with_a_sentence(url: str) -> None:
    database = IndexDatabase(url, device_name="here")
    assert database.look() == "at 127.0.0.1, whose tables will be made"
    database.ready()
    assert database.look() == f"version {len(SCHEMA)} at 127.0.0.1, 0 events of 1 replica"
    database.write(lambda run: run("UPDATE index_versions SET version = 99", None))
    error = refused(url)
    assert (error.code, "update this one" in str(error)) == ("index_newer", True)


def test_a_user_without_rights_is_told_so(postgres: PostgresServer, url: str) -> None:
    schema = url.rpartition("%3D")[2]
    postgres.ask(f"CREATE ROLE {schema} LOGIN PASSWORD 'x'")
    limited = url.replace(postgres.url().partition("@")[0], f"postgresql://{schema}:x")
    postgres.ask(f"GRANT USAGE ON SCHEMA {schema} TO {schema}")
    assert refused(limited).code == "not_allowed"
    IndexDatabase(url, device_name="here").ready()
    assert refused(limited).code == "not_allowed"
    postgres.ask(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {schema}")
    IndexDatabase(limited, device_name="there").ready()
