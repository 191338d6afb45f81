"""Servers behind `https://`, without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse


class Server(BaseAdapter):
    """Answers by a function of the request: status, headers, body."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], tuple[int, Mapping[str, str], bytes]]) -> None:
        super().__init__()
        self._answer = answer
        self.asked: list[tuple[str, str]] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append((request.url or "", request.headers.get("Range", "")))
        answer = requests.Response()
        answer.request = request
        answer.status_code, headers, body = self._answer(request)
        answer.headers.update(headers)
        answer.raw = HTTPResponse(BytesIO(body), preload_content=False)
        return answer

    def close(self) -> None:
        """Nothing is held."""
