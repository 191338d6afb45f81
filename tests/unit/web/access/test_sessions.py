"""Cookies: ours are good until they expire, and nothing else is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.access import key_files
from app.web.access.sessions import LASTS_S, EndedSessions, Sessions, cookies
from tests.fakes.clock import Clock

KEY = b"k" * 32


def sessions(key: bytes = KEY) -> Sessions:
    return Sessions(key, clock=Clock())


def test_a_session_lasts_thirty_days() -> None:
    clock = Clock()
    ours = Sessions(KEY, clock=clock)
    value = ours.issue()
    clock.now += LASTS_S - 1
    assert ours.permits(value)
    clock.now += 1
    assert not ours.permits(value)


def test_another_key_ends_it() -> None:
    assert not sessions(b"j" * 32).permits(sessions().issue())


@given(st.text())
def test_what_somebody_made_up_opens_nothing(value: str) -> None:
    assert not sessions().permits(value)


@given(st.integers(min_value=0), st.characters())
def test_changing_one_character_spoils_it(place: int, character: str) -> None:
    value = sessions().issue()
    place %= len(value)
    changed = value[:place] + character + value[place + 1 :]
    assert sessions().permits(changed) is (changed == value)


@given(st.integers(min_value=0, max_value=10**12))
def test_nobody_prolongs_a_session(expires: int) -> None:
    ours = sessions().issue()
    changed = f"{expires}.{ours.partition('.')[2]}"
    assert sessions().permits(changed) is (changed == ours)


@pytest.mark.parametrize("digits", ["٢٠٠٠٠٠٠", "2_000_000", " 3592000", "+3592000", "03592000"])
def test_a_number_in_other_digits_is_not_ours(digits: str) -> None:
    assert not sessions().permits(f"{digits}.{sessions().issue().partition('.')[2]}")


@given(st.lists(st.text()))
def test_any_cookie_header_can_be_read(headers: list[str]) -> None:
    list(cookies(headers))


def test_all_of_our_name_are_found() -> None:
    assert list(cookies(["a=1; snapshot_session=x;snapshot_session = y", "snapshot_session=z=z"])) == ["x", "y", "z=z"]


@given(st.text(min_size=1))
def test_adding_to_it_spoils_it(more: str) -> None:
    value = sessions().issue()
    assert not sessions().permits(value + more)
    assert not sessions().permits(more + value)


def test_sessions_that_end_at_once_in_several_threads_all_stay_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, inside, write = EndedSessions(tmp_path / "ended.json", clock=Clock()), [0], key_files.write
    most: list[int] = []

    def watched(path: Path, content: bytes) -> None:
        inside[0] += 1
        most.append(inside[0])
        write(path, content)
        inside[0] -= 1

    monkeypatch.setattr(key_files, "write", watched)
    values = [sessions().issue(f"user {number}") for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ended.add, values))
    again = EndedSessions(tmp_path / "ended.json", clock=Clock())
    again.open()
    assert all(value in ended and value in again for value in values)
    assert max(most) == 1, "one writes at a time"


def test_what_is_ended_at_one_service_is_ended_at_another_that_shares_the_file(tmp_path: Path) -> None:
    one, other = (EndedSessions(tmp_path / "ended.json", clock=Clock()) for _ in range(2))
    for each in (one, other):
        each.open()
    first, second = sessions().issue("Ann"), sessions().issue("Ben")
    assert first not in other
    one.add(first)
    assert first in other
    other.add(second)
    assert second in one
    assert first in one
