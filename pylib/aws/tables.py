"""What AWS's services and regions are, as botocore has it, without what nobody here asks for."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader, create_loader

SERVICES = frozenset({"dynamodb", "oidc", "portal.sso", "rekognition", "s3", "sns", "sqs", "sts"})
"""Those of which we know the regions: ours, and those that logins are from. Another one's address would be made from
its name and region alone."""


def tables(path: str | None) -> Loader:
    """Read when they are first asked for, and kept. `path`: botocore's setting `data_path`."""
    found = create_loader(path).search_paths
    return Loader(found, file_loader=Files(), include_default_search_paths=False)


class Files(JSONFileLoader):
    """Plain dicts, without documentation and without the regions of all other services.

    That is 1 MB for a client of Rekognition where botocore's would be 8.6.
    """

    def load_file(self, file_path: str) -> Any:
        """What is in a file, named without its suffix; None where there is none."""
        for suffix, opened in ((".json", open), (".json.gz", gzip.open)):
            with suppress(FileNotFoundError), opened(file_path + suffix, "rb") as file:
                table = json.load(file, object_hook=_undocumented)
                return _ours(table) if Path(file_path).name == "endpoints" else table
        return None


def _undocumented(table: dict[str, Any]) -> dict[str, Any]:
    if isinstance(table.get("documentation"), str):
        table["documentation"] = ""  # botocore asks for it, and passes it over
    return table


def _ours(endpoints: dict[str, Any]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        partition["services"] = {name: partition["services"][name] for name in SERVICES & partition["services"].keys()}
    return endpoints
