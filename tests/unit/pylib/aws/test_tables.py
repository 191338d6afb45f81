"""AWS's tables are botocore's, without what nobody reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from pylib.aws.tables import SERVICES, tables

ROOT = Path(__file__).parents[4]


def undocumented(table: Any) -> Any:
    if isinstance(table, list):
        return [undocumented(entry) for entry in table]
    if isinstance(table, dict):
        return {key: "" if key == "documentation" else undocumented(value) for key, value in table.items()}
    return table


def test_a_service_is_described_as_botocore_has_it_without_the_documentation() -> None:
    ours = tables(None)
    described = ours.load_service_model("sqs", "service-2")
    assert described == undocumented(Loader().load_service_model("sqs", "service-2"))
    assert type(described) is dict
    assert ours.load_service_model("sqs", "service-2") is described


def test_the_regions_of_our_services_are_known_and_no_other_s() -> None:
    pairs = zip(*(loader.load_data("endpoints")["partitions"] for loader in (tables(None), Loader())), strict=True)
    for ours, theirs in pairs:
        wanted = {name: regions for name, regions in theirs["services"].items() if name in SERVICES}
        assert ours == {**theirs, "services": wanted}


def test_every_service_that_is_asked_for_is_one_of_ours() -> None:
    texts = [path.read_text() for folder in ("app", "pylib") for path in (ROOT / folder).rglob("*.py")]
    asked = {
        name
        for text in texts
        for name in re.findall(r"(?:AwsClient|aws\.(?:timed_)?client)\(\s*\"([a-z0-9-]+)\"", text)
    }
    assert "rekognition" in asked
    assert asked <= SERVICES


def test_tables_of_one_s_own_come_first(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text('{"partitions": []}')
    assert tables(str(tmp_path)).load_data_with_path("endpoints") == ({"partitions": []}, str(tmp_path / "endpoints"))
