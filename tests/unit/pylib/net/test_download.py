"""A file comes over HTTPS whole and right, or not at all; what broke off goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from pylib.net.download import DownloadBroken, DownloadRefused, download
from tests.fakes.durability import disk
from tests.fakes.https import Server

FILE = bytes(range(256)) * 1000
URL = "https://models.example/releases/a.onnx"


def ranges(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], bytes]:
    """As a server that can go on does."""
    asked = request.headers.get("Range", "")
    start = int(asked.removeprefix("bytes=").removesuffix("-") or 0)
    if start >= len(FILE):
        return 416, {}, b""
    headers = {"Content-Length": str(len(FILE) - start)}
    return (
        (206, headers | {"Content-Range": f"bytes {start}-{len(FILE) - 1}/{len(FILE)}"}, FILE[start:])
        if asked
        else (
            200,
            headers,
            FILE,
        )
    )


def load(server: Server, path: Path, **options: Any) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", server)
        given: dict[str, Any] = {
            "sha256": hashlib.sha256(FILE).hexdigest(),
            "max_bytes": len(FILE),
            "timeout": 5.0,
        } | options
        download(URL, path, session=session, **given)


def test_a_file_comes_whole_and_says_how_far_it_is(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    path = tmp_path / "models" / "a.onnx"
    path.parent.mkdir()
    with disk(tmp_path) as watched:
        load(Server(ranges), path, progress=lambda have, whole: heard.append((have, whole)))
    assert path.read_bytes() == FILE
    assert (watched.torn, watched.left()) == ([], {"models/a.onnx": FILE})
    assert heard[-1] == (len(FILE), len(FILE))
    assert len(heard) > 2
    assert [each.name for each in path.parent.iterdir()] == ["a.onnx"]


def test_one_that_broke_off_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    half = Server(lambda _: (200, {"Content-Length": str(len(FILE))}, FILE[:100_000]))
    with pytest.raises(DownloadBroken, match=r"broke off after 100000 of 256000 bytes"):
        load(half, path)
    assert not path.exists()
    server = Server(ranges)
    load(server, path)
    assert server.asked == [(URL, "bytes=100000-")]
    assert path.read_bytes() == FILE


def test_one_that_was_cut_off_before_it_had_its_name_needs_no_byte_more(tmp_path: Path) -> None:
    (tmp_path / "a.onnx.part").write_bytes(FILE)
    load(Server(ranges), tmp_path / "a.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == FILE


@pytest.mark.parametrize("headers", [{}, {"Content-Range": "bytes 5-255999/256000"}])
def test_a_server_that_cannot_go_on_begins_again(tmp_path: Path, headers: dict[str, str]) -> None:
    (tmp_path / "a.onnx.part").write_bytes(b"something old")
    load(Server(lambda _: (206 if headers else 200, headers, FILE)), tmp_path / "a.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == FILE


def test_another_file_is_deleted_and_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"old")
    with pytest.raises(DownloadRefused, match=r"models.example gave another file \(SHA-256 [0-9a-f]{64}\)"):
        load(Server(lambda _: (200, {}, b"malice")), path)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.onnx", b"old")]


def test_what_its_check_refuses_gets_no_name(tmp_path: Path) -> None:
    def refuse(part: Path) -> None:
        assert part.read_bytes() == FILE
        raise DownloadRefused("no_model", "it is none")

    with pytest.raises(DownloadRefused, match="it is none"):
        load(Server(ranges), tmp_path / "a.onnx", check=refuse)
    assert list(tmp_path.iterdir()) == []


def test_more_than_was_expected_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(DownloadRefused, match="sends more than the 1000 bytes"):
        load(Server(ranges), tmp_path / "a.onnx", max_bytes=1000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [401, 404, 500])
def test_an_answer_that_is_no_file_is_said(tmp_path: Path, status: int) -> None:
    with pytest.raises(DownloadRefused, match=f"models.example answers {status} for /releases/a.onnx"):
        load(Server(lambda _: (status, {}, b"no")), tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_redirects_lead_to_https_only_and_end(tmp_path: Path) -> None:
    def to(place: str) -> Server:
        return Server(lambda request: ranges(request) if "cdn" in str(request.url) else (302, {"Location": place}, b""))

    server = to("https://cdn.example/a")
    load(server, tmp_path / "a.onnx")
    assert [url for url, _ in server.asked] == [URL, "https://cdn.example/a"]
    for place in ("http://cdn.example/a", "file:///etc/passwd"):
        with pytest.raises(DownloadRefused, match="by https only"):
            load(to(place), tmp_path / "b.onnx")
    with pytest.raises(DownloadRefused, match=r"^no_https: an address is asked by https only$"):
        load(to("user:pw@x"), tmp_path / "b.onnx")
    with pytest.raises(DownloadRefused, match="an address or a length that is none"):
        load(to("https://[h"), tmp_path / "b.onnx")
    with pytest.raises(DownloadRefused, match="redirects more than 5 times"):
        load(to("/again"), tmp_path / "b.onnx")


def test_a_server_that_cannot_be_reached_is_named_without_more(tmp_path: Path) -> None:
    def away(_: requests.PreparedRequest) -> tuple[int, Mapping[str, str], bytes]:
        raise requests.ConnectionError("secret=hunter2")

    with pytest.raises(DownloadBroken, match=r"^unreachable: models.example cannot be reached: ConnectionError$"):
        load(Server(away), tmp_path / "a.onnx")
