"""Commands on the same machine ask the running service without a password, if they may read its key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.api_client import ApiClient, ServiceAway, ServiceRefused
from app.web.application import application
from app.web.local_token import FOLDER
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.web import close, parts_for, serving


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A service with a password, whose data is in `tmp_path`."""
    parts = parts_for(tmp_path, settings=WebSettings(password=Secret("open sesame")))
    with serving(application(parts)) as client:
        yield client.port
    close(parts)


def service(port: int, data_dir: Path) -> ApiClient:
    return ApiClient(WebSettings(port=port), data_dir)


def test_who_can_read_the_key_needs_no_password(port: int, tmp_path: Path) -> None:
    status, answer = service(port, tmp_path).get("/api/cameras", timeout=5)
    assert status == 200
    assert len(answer["cameras"]) == 2


def test_who_cannot_is_a_stranger(port: int, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    status, _ = service(port, elsewhere).get("/api/cameras", timeout=5)
    assert status == 401


def test_another_installations_key_opens_nothing(port: int, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / FOLDER).mkdir(parents=True)
    (elsewhere / FOLDER / "key").write_bytes(bytes(32))
    with pytest.raises(ServiceRefused):
        service(port, elsewhere).post("/api/cameras/front-door/trigger", timeout=5)


def test_a_refusal_is_told_in_the_services_words(port: int, tmp_path: Path) -> None:
    with pytest.raises(ServiceRefused, match="no camera 'cellar'"):
        service(port, tmp_path).post("/api/cameras/cellar/trigger", timeout=5)


def test_a_proxy_in_the_environment_is_not_asked(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert service(port, tmp_path).get("/health/live", timeout=5)[0] == 200


def test_a_service_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceAway, match=r"http://127\.0\.0\.1:9 "):
        service(9, tmp_path).get("/health/live", timeout=5)


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:8080"), ("::", "http://[::1]:8080"), ("192.168.1.7", "http://192.168.1.7:8080")],
)
def test_it_is_asked_where_it_listens(host: str, url: str) -> None:
    assert WebSettings(host=host).own_url == url
