"""Doubles of servers that look at pictures, as an `answer` of `tests.fakes.http_double`.

`DetectionServer` speaks as CodeProject.AI or DeepStack do; `ChatServer` as servers with OpenAI's interface.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image
from python_multipart import parse_form

from tests.fakes.http_double import Reply, Seen

Prediction = Mapping[str, Any]


def prediction(label: str, confidence: float, *corners: float) -> Prediction:
    """One find; the corners are left, top, right, bottom in pixels."""
    sides = zip(("x_min", "y_min", "x_max", "y_max"), corners, strict=True)
    return {"label": label, "confidence": confidence, **dict(sides)}


def form_of(seen: Seen) -> dict[str, bytes]:
    """The fields of a form, files among them, by name."""
    fields: dict[str, bytes] = {}

    def take_field(one: Any) -> None:
        fields[one.field_name.decode()] = one.value or b""

    def take_file(one: Any) -> None:
        one.file_object.seek(0)
        fields[one.field_name.decode()] = one.file_object.read()

    headers: dict[str, Any] = {"Content-Type": seen.headers["Content-Type"].encode()}
    parse_form(headers, io.BytesIO(seen.body), take_field, take_file)
    return fields


@dataclass
class DetectionServer:
    """Refuses what the real ones refuse, in their words."""

    speaks: Literal["codeproject", "deepstack"] = "codeproject"
    predictions: Sequence[Prediction] = (prediction("person", 0.91, 10, 20, 60, 200),)
    api_key: str = ""
    models: Sequence[str] = ("ipcam-combined",)
    fails: str = ""
    """The error that every call ends with."""
    forms: list[dict[str, bytes]] = field(default_factory=list)
    """Of the calls that passed."""

    def __call__(self, seen: Seen) -> Reply:
        form = form_of(seen) if seen.method == "POST" else {}
        status, said = self._said(seen, form)
        return json_reply(said, status)

    def _said(self, seen: Seen, form: Mapping[str, bytes]) -> tuple[int, object]:
        root, _, what = seen.path.partition("/v1/vision/")
        if root or seen.method != "POST" or not what:
            return 404, "404 page not found"
        if self.api_key and form.get("api_key", b"").decode() != self.api_key:
            return self._refusal(401, "Incorrect api key")
        if "image" not in form:
            return self._refusal(400, "No valid image file found")
        if what.startswith("custom/") and what.removeprefix("custom/") not in self.models:
            if self.speaks == "deepstack":
                return 404, "404 page not found"
            return self._refusal(200, f"Could not find custom model {what.removeprefix('custom/')}")
        if self.fails:
            return self._refusal(500, self.fails)
        try:
            Image.open(io.BytesIO(form["image"])).load()
            least = float(form.get("min_confidence", b"0.4"))
        except (OSError, ValueError):
            return self._refusal(400, "invalid image file")
        self.forms.append(dict(form))
        found = [one for one in self.predictions if one["confidence"] >= least]
        return 200, {"success": True, "predictions": found, "code": 200, "inferenceMs": 41}

    def _refusal(self, status: int, error: str) -> tuple[int, object]:
        """CodeProject.AI says so in the answer alone."""
        return status if self.speaks == "deepstack" else 200, {"success": False, "error": error, "code": status}


def json_reply(said: object, status: int = 200) -> Reply:
    """An answer; text as it is."""
    body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
    return Reply(status, {"Content-Type": "application/json", "Content-Length": str(len(body))}, [body])


@dataclass
class ChatServer:
    """`/v1/models` and `/v1/chat/completions` with a picture in the message."""

    says: str = "A postman stands at the door with a parcel."
    model: str = "qwen2.5vl:7b"
    api_key: str = ""
    status: int = 200
    """Of every answer to a picture; others than 200 with an error."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """What was asked with a picture, and passed."""

    def __call__(self, seen: Seen) -> Reply:
        if self.api_key and seen.headers.get("Authorization") != f"Bearer {self.api_key}":
            return self._error(401, "Incorrect API key provided: sk-...")
        if seen.path == "/v1/models":
            return json_reply({"object": "list", "data": [{"id": self.model, "object": "model"}]})
        if seen.path != "/v1/chat/completions" or seen.method != "POST":
            return json_reply("404 page not found", 404)
        asked = json.loads(seen.body)
        if asked["model"] != self.model:
            return self._error(404, f"model '{asked['model']}' not found")
        if self.status != 200:
            return self._error(self.status, "it went wrong")
        self.picture(asked).load()
        self.asked.append(asked)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.says}}
        return json_reply({"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]})

    @staticmethod
    def picture(asked: Mapping[str, Any]) -> Image.Image:
        """The picture in a question."""
        parts = asked["messages"][-1]["content"]
        url = next(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
        head, _, data = url.partition(",")
        assert head == "data:image/jpeg;base64", head
        return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))

    def _error(self, status: int, message: str) -> Reply:
        return json_reply({"error": {"message": message, "type": "invalid_request_error"}}, status)
