"""The server that describes pictures: `POST /chat/completions`, as OpenAI, Ollama, llama.cpp and others have it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.describe.settings import DescribeSettings
from pylib.errors import Failure, Permanent, Transient
from pylib.net.http_client import Answer, HttpClient, Reason, Unanswered
from pylib.settings.error_texts import did_you_mean
from pylib.text import one_line

LONGEST = 500
"""Characters of a sentence that are kept."""
MAX_ANSWER = 1_000_000
"""Bytes."""

CODES = {
    "describe_unreachable": (
        "The server that describes pictures could not be reached.",
        "is it on? correct DESCRIBE_URL",
    ),
    "describe_timeout": (
        "The server that describes pictures did not answer in time.",
        "choose a smaller model, lower DESCRIBE_LONG_SIDE, or raise DESCRIBE_TIMEOUT",
    ),
    "describe_tls": (
        "No secure connection to the server that describes pictures came about.",
        "look at its certificate, or use http at home",
    ),
    "describe_login": ("The server that describes pictures did not accept the key.", "correct DESCRIBE_API_KEY"),
    "describe_model": (
        "The server that describes pictures does not have this model.",
        "correct DESCRIBE_MODEL, or have the server load it",
    ),
    "describe_wrong_server": (
        "What answers at the address does not describe pictures.",
        "correct DESCRIBE_URL: on most servers it ends in /v1",
    ),
    "describe_busy": ("The server that describes pictures has too much to do.", "nothing: the service asks again"),
    "describe_failed": ("The server that describes pictures failed.", "look at the server's own log"),
    "describe_refused": (
        "The server refused to describe this picture.",
        "does the model see pictures? look at the reason",
    ),
    "describe_nothing": (
        "The model said nothing about the picture.",
        "raise DESCRIBE_MAX_TOKENS, or change the prompt",
    ),
}
"""Code -> what happened, and what to do about it."""

_UNANSWERED: Mapping[Reason, tuple[str, str]] = {
    "unreachable": ("describe_unreachable", "no connection to {url}"),
    "timeout": ("describe_timeout", "{url} did not answer within {timeout:g} s"),
    "tls": ("describe_tls", "no trusted connection to {url}: check its certificate"),
    "cut": ("describe_failed", "{url} ended the connection without a whole answer"),
    "too_large": ("describe_wrong_server", "{url} answers with more than a sentence takes"),
}
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


class DescribingServer:
    """Asks one server. Every failure is `Transient` unless it is this picture's alone: then it is `Permanent`."""

    def __init__(self, settings: DescribeSettings) -> None:
        """Connects to nothing."""
        self._settings = settings
        self._client = HttpClient(timeout=settings.timeout, most_bytes=MAX_ANSWER)

    def describe(self, picture: bytes) -> str:
        """A sentence about this JPEG: one line of at most `LONGEST` characters. Raises `Transient` or `Permanent`."""
        answer = self._ask("POST", "/chat/completions", json.dumps(self._question(picture)).encode())
        if answer.status != 200:
            raise self._refusal(answer.status)
        try:
            said = _said(json.loads(answer.body)["choices"][0]["message"]["content"])
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise self._failure(Transient, "describe_wrong_server", "{url} answers with no message") from None
        sentence = one_line(_THOUGHT.sub(" ", said), longest=LONGEST)
        if not sentence:
            raise self._failure(Permanent, "describe_nothing", "{model} said nothing about the picture")
        return sentence

    def check(self) -> str:
        """Whether it is there and has the model; asks for no sentence, so it costs nothing. Raises `Failure`."""
        answer = self._ask("GET", "/models")
        if answer.status in (401, 403):
            raise self._refusal(answer.status)
        try:
            names = [str(model["id"]) for model in json.loads(answer.body)["data"]] if answer.status == 200 else None
        except (ValueError, LookupError, TypeError, RecursionError):
            names = None
        if names is None:
            raise self._failure(Transient, "describe_wrong_server", "{url} does not list its models")
        model = self._settings.model
        if model not in names:
            hint = one_line(did_you_mean(model, names), longest=100)
            raise self._failure(Transient, "describe_model", "{url} has no model {model}{hint}", hint=hint)
        return f"{model} at {self._settings.url}"

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _question(self, picture: bytes) -> dict[str, Any]:
        settings = self._settings
        language = f" Answer in {settings.language}." if settings.language else ""
        image = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
        content = [
            {"type": "text", "text": settings.prompt + language},
            {"type": "image_url", "image_url": {"url": image}},
        ]
        return {
            "model": settings.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": settings.max_tokens,
        }

    def _ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key := self._settings.api_key.get_secret_value():
            headers["Authorization"] = f"Bearer {key}"
        try:
            return self._client.send(method, self._settings.url + path, body=body, headers=headers)
        except Unanswered as failure:
            raise self._failure(Transient, *_UNANSWERED[failure.reason]) from None

    def _refusal(self, status: int) -> Failure:
        """Without the server's words: they may repeat the key."""
        if status in (401, 403):
            return self._failure(Transient, "describe_login", "{url} does not accept this key")
        if status == 404:
            return self._failure(Transient, "describe_model", "{url} has no model {model}, or no /chat/completions")
        if status == 429:
            return self._failure(Transient, "describe_busy", "{url} takes no more calls for the moment")
        if status >= 500:
            return self._failure(Transient, "describe_failed", f"{{url}} failed (HTTP {status})")
        if status < 400:
            return self._failure(Transient, "describe_wrong_server", f"{{url}} answers with HTTP {status}")
        return self._failure(Permanent, "describe_refused", f"{{url}} refuses the picture (HTTP {status})")

    def _failure(self, kind: type[Failure], code: str, sentence: str, *, hint: str = "") -> Failure:
        settings = self._settings
        said = sentence.format(url=settings.url, model=repr(settings.model), timeout=settings.timeout, hint=hint)
        return kind(code, said)


def _said(content: str | Sequence[Mapping[str, Any]]) -> str:
    """The text of a message, which some servers give in parts."""
    if isinstance(content, str):
        return content
    return " ".join(str(part["text"]) for part in content if part.get("type") == "text")
