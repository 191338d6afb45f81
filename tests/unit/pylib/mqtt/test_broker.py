"""What a broker's refusals and a socket's errors mean: try again, or have a person look."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from pylib.errors import Failure, Permanent, Transient
from pylib.mqtt.broker import Broker, explain, refusal


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ConnectionRefusedError(111, "Connection refused"), Transient, "mqtt_away"),
        (TimeoutError("timed out"), Transient, "mqtt_away"),
        (RuntimeError("x"), Transient, "mqtt_away"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), Permanent, "mqtt_tls"),
        (ssl.SSLError(1, "wrong version number"), Permanent, "mqtt_tls"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), Transient, "mqtt_away"),
        (Permanent("mqtt_refused", "x"), Permanent, "mqtt_refused"),
    ],
)
def test_only_what_a_person_has_to_mend_is_permanent(error: Exception, kind: type[Failure], code: str) -> None:
    failure = explain(error)
    assert (type(failure), failure.code) == (kind, code)
    assert failure.detail


@pytest.mark.parametrize(
    ("reason", "kind"), [("Server unavailable", Transient), ("Bad user name or password", Permanent)]
)
def test_a_broker_that_is_busy_is_asked_again(reason: str, kind: type[Failure]) -> None:
    assert type(refusal(reason)) is kind


def test_the_file_of_an_authority_is_named_when_it_is_of_no_use(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    for name, said in (("none.pem", "no certificate in"), ("missing.pem", "cannot read")):
        with pytest.raises(Permanent, match=said) as raised:
            Broker(tls=True, ca_file=str(tmp_path / name)).client("me")
        assert raised.value.code == "mqtt_tls"
