"""What AWS's services and regions are, as botocore has it: read once, and without what nobody here asks for."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from botocore.loaders import JSONFileLoader, Loader, create_loader

ENDPOINTS = "endpoints"
"""The table of the regions of all services: half of what a client's start reads, and 4 MB."""


class Tables(Loader):
    """Clients share them. The endpoints go with the last client that needs them: S3's does, and others do not once they
    are made."""

    def __init__(self, path: str | None) -> None:
        """`path`: botocore's setting `data_path`."""
        found = create_loader(path).search_paths
        super().__init__(extra_search_paths=found, file_loader=_Files(), include_default_search_paths=False)
        self._endpoints: WeakValueDictionary[str, _Endpoints] = WeakValueDictionary()

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """A table, and the file that it is from."""
        if name != ENDPOINTS:
            return super().load_data_with_path(name)
        endpoints = self._endpoints.get(name)
        if endpoints is None:
            # By a loader of its own, since each keeps what it has loaded.
            fresh = Loader(self.search_paths, self.file_loader, include_default_search_paths=False)
            self._endpoints[name] = endpoints = _Endpoints(*fresh.load_data_with_path(name))
        return endpoints, endpoints.path


class _Endpoints(dict[str, Any]):
    """The table, which can be held weakly."""

    def __init__(self, table: dict[str, Any], path: str) -> None:
        super().__init__(table)
        self.path = path


class _Files(JSONFileLoader):
    """Plain dicts without documentation: 0.8 MB for Rekognition where botocore's ordered ones take 1.7."""

    def load_file(self, file_path: str) -> Any:
        """What is in a file, named without its suffix; None where there is none."""
        for suffix, opened in ((".json", open), (".json.gz", gzip.open)):
            with suppress(FileNotFoundError), opened(file_path + suffix, "rb") as file:
                return json.load(file, object_hook=_undocumented)
        return None


def _undocumented(table: dict[str, Any]) -> dict[str, Any]:
    if isinstance(table.get("documentation"), str):
        table["documentation"] = ""  # botocore asks for it, and passes it over
    return table
