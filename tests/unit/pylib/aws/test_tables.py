"""AWS's tables are botocore's, without what nobody reads."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from botocore.loaders import Loader

from pylib.aws.tables import ENDPOINTS, Tables


def undocumented(table: Any) -> Any:
    if isinstance(table, list):
        return [undocumented(entry) for entry in table]
    if isinstance(table, dict):
        return {key: "" if key == "documentation" else undocumented(value) for key, value in table.items()}
    return table


def test_they_say_what_botocore_s_say_without_the_documentation() -> None:
    ours, theirs = Tables(None), Loader()
    described = ours.load_service_model("sqs", "service-2")
    assert described == undocumented(theirs.load_service_model("sqs", "service-2"))
    assert type(described) is dict
    assert ours.load_data_with_path(ENDPOINTS) == theirs.load_data_with_path(ENDPOINTS)
    assert ours.load_service_model("sqs", "service-2") is described


def test_the_endpoints_are_shared_and_go_with_the_last_that_holds_them() -> None:
    tables = Tables(None)
    endpoints = tables.load_data(ENDPOINTS)
    again, _ = tables.load_data_with_path(ENDPOINTS)
    assert again is endpoints
    gone = weakref.ref(endpoints)
    del endpoints, again
    gc.collect()
    assert gone() is None


def test_tables_of_one_s_own_come_first(tmp_path: Any) -> None:
    (tmp_path / "endpoints.json").write_text('{"partitions": []}')
    assert Tables(str(tmp_path)).load_data_with_path(ENDPOINTS) == ({"partitions": []}, str(tmp_path / ENDPOINTS))
