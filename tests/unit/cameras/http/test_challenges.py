"""Challenges are read as RFC 9110 writes them, and whatever else comes costs little."""

from __future__ import annotations

import time

import pytest

from app.cameras.http import challenges
from app.cameras.http.challenges import LONGEST, challenges_in


def read(*headers: str) -> list[tuple[str, dict[str, str]]]:
    return [(one.scheme, dict(one.parameters)) for one in challenges_in(headers)]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], []),
        (['Basic realm="cam"'], [("basic", {"realm": "cam"})]),
        (["BASIC"], [("basic", {})]),
        (["Basic realm=cam"], [("basic", {"realm": "cam"})]),
        (
            ['Digest realm="a", nonce="b=,c", Basic realm="d"'],
            [("digest", {"realm": "a", "nonce": "b=,c"}), ("basic", {"realm": "d"})],
        ),
        (['Basic realm="a"', 'Digest Nonce = "b"'], [("basic", {"realm": "a"}), ("digest", {"nonce": "b"})]),
        (['Negotiate, Digest nonce="b"'], [("negotiate", {}), ("digest", {"nonce": "b"})]),
        (
            ['Digest realm="Login to cam, Basic", nonce="b"'],
            [("digest", {"realm": "Login to cam, Basic", "nonce": "b"})],
        ),
        (
            ['Digest realm="Login to cam, Basic realm=\\", Basic \\"", nonce="b"'],
            [("digest", {"realm": 'Login to cam, Basic realm=\\", Basic \\"', "nonce": "b"})],
        ),
        ([',, Digest  realm="a" nonce="b" ,'], [("digest", {"realm": "a", "nonce": "b"})]),
        (['Digest realm=IP Camera, nonce="b"'], [("digest", {"realm": "IP", "nonce": "b"})]),
        (['Digest nonce="never closed, Basic'], [("digest", {"nonce": "never closed, Basic"})]),
        (['realm="of nothing"', '"quoted, Basic"'], []),
    ],
)
def test_challenges_are_read_with_their_quotes(headers: list[str], expected: list[tuple[str, dict[str, str]]]) -> None:
    assert read(*headers) == expected


NONSENSE = ["a", "a ", "a=", 'a="', '"', "\\", ",", " ", "=", "Digest ", 'Digest a="\\', ',a="\\"', ",,\0", "ü"]


@pytest.mark.parametrize("sign", NONSENSE)
def test_no_nonsense_of_64_kilobytes_takes_long(sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenges, "LONGEST", 65_536)
    began = time.thread_time()
    challenges_in(["Digest " + sign * (65_536 // len(sign)), sign * 30_000 + '"'])
    assert time.thread_time() - began < 2  # quadratic time is minutes


def test_a_header_is_read_as_far_as_a_challenge_goes() -> None:
    assert read("Basic, " + " " * LONGEST + "Digest") == [("basic", {})]
