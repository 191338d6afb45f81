"""What `pylib.aws.calls.AwsClient` is to a queue: calls are answered from memory, and remembered."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from pylib.aws.calls import AwsFailure

AWAY = AwsFailure("unreachable", "No connection to sqs.example.", kind="away")


class FakeSqs:
    """A queue that delivers what `send` put into it, ten at a time, each once unless it is made visible."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.visible: list[str] = []
        self.bodies: dict[str, str] = {}
        self.receives: dict[str, int] = {}
        self.attributes: dict[str, str] = {}
        self.set_aside: list[tuple[str, str]] = []
        self.failing: dict[str, AwsFailure] = {}
        """Operation -> the failure that it ends with."""
        self.refused: dict[str, tuple[str, bool]] = {}
        """Handle -> error code of a batch's entry, and whether it is the sender's fault."""
        self.on_receive: Callable[[], None] = lambda: None
        self._handles = itertools.count(1)
        self.handles: dict[str, str] = {}

    def send(self, message: str, body: str) -> None:
        self.bodies[message] = body
        self.visible.append(message)

    def ask(self, operation: str, *, timeout: float = 0, **parameters: Any) -> Mapping[str, Any]:
        self.calls.append((operation, parameters))
        if failure := self.failing.get(operation) or self.failing.get("all"):
            raise failure
        answer: Mapping[str, Any] = getattr(self, operation)(**parameters)
        return answer

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == operation]

    def close(self) -> None:
        self.calls.append(("close", {}))

    def receive_message(self, **_: Any) -> Mapping[str, Any]:
        self.on_receive()
        messages = []
        batch, self.visible = self.visible[:10], self.visible[10:]
        for message in batch:
            self.receives[message] = self.receives.get(message, 0) + 1
            handle = f"{message}/{next(self._handles)}"
            self.handles[message] = handle
            messages.append(
                {
                    "MessageId": message,
                    "ReceiptHandle": handle,
                    "Body": self.bodies[message],
                    "Attributes": {"ApproximateReceiveCount": str(self.receives[message])},
                }
            )
        return {"Messages": messages} if messages else {}

    def delete_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
        done, failed = self._split(parameters["Entries"])
        for entry in done:
            self.bodies.pop(entry["ReceiptHandle"].partition("/")[0], None)
        return {"Successful": [{"Id": entry["Id"]} for entry in done], "Failed": failed}

    def change_message_visibility_batch(self, **parameters: Any) -> Mapping[str, Any]:
        done, failed = self._split(parameters["Entries"])
        self.visible += [e["ReceiptHandle"].partition("/")[0] for e in done if not e["VisibilityTimeout"]]
        return {"Successful": [{"Id": entry["Id"]} for entry in done], "Failed": failed}

    def send_message(self, **parameters: Any) -> Mapping[str, Any]:
        self.set_aside.append((parameters["MessageBody"], parameters["MessageAttributes"]["reason"]["StringValue"]))
        return {}

    def get_queue_attributes(self, **_: Any) -> Mapping[str, Any]:
        return {"Attributes": self.attributes} if self.attributes else {}

    def _split(self, entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        assert 0 < len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)
        refused = [entry for entry in entries if entry["ReceiptHandle"] in self.refused]
        failed = []
        for entry in refused:
            code, sender = self.refused[entry["ReceiptHandle"]]
            failed.append({"Id": entry["Id"], "Code": code, "SenderFault": sender})
        return [entry for entry in entries if entry not in refused], failed
