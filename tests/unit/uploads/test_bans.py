"""Who guesses passwords is kept out for a while; who knows one is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.uploads import bans
from app.uploads.bans import Bans, read
from tests.fakes.clock import Clock

HERE, THERE = "192.168.1.7", "192.168.1.8"


def made(clock: Clock, path: Path | None = None, **more: object) -> Bans:
    return Bans(after=3, within=60, seconds=600, path=path, clock=clock, wall=clock, **more)  # type: ignore[arg-type]


def test_the_address_is_banned_at_the_limit_and_no_other_one(clock: Clock) -> None:
    told: list[str] = []
    one = made(clock, on_ban=told.append)
    assert [one.failed(HERE, "user") for _ in range(3)] == [False, False, True]
    assert one.banned(HERE)
    assert not one.banned(THERE)
    assert (told, len(one.listed())) == ([HERE], 1)


def test_a_ban_ends(clock: Clock) -> None:
    one = made(clock)
    for _ in range(3):
        one.failed(HERE, "user")
    clock.now += 599
    assert one.banned(HERE)
    clock.now += 2
    assert not one.banned(HERE)
    assert one.listed() == []
    assert not one.failed(HERE, "user")


def test_bad_logins_long_ago_do_not_count(clock: Clock) -> None:
    one = made(clock)
    for _ in range(10):
        assert not one.failed(HERE, "user")
        clock.now += 31


def test_a_right_login_forgives_slips_under_its_name_and_anonymous_tries(clock: Clock) -> None:
    one = made(clock)
    for _ in range(5):
        one.failed(HERE, "camera")
        one.failed(HERE, "anonymous")
        one.succeeded(HERE, "camera")
    assert not one.banned(HERE)


def test_a_right_login_does_not_forgive_guesses_at_another_one(clock: Clock) -> None:
    one = made(clock)
    for _ in range(2):
        one.failed(HERE, "admin")
        one.succeeded(HERE, "camera")
    assert one.failed(HERE, "admin")


def test_bans_outlive_the_process_and_can_be_read_by_another(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / bans.FILE
    one = made(clock, path)
    for _ in range(3):
        one.failed(HERE, "user")
    one.save()
    (ban,) = read(path, wall=clock)
    assert (ban.address, ban.failures, ban.until.timestamp()) == (HERE, 3, clock.now + 600)
    clock.now += 500
    again = made(clock, path)
    again.open()
    assert again.banned(HERE)
    clock.now += 101
    assert not again.banned(HERE)
    assert read(path, wall=clock) == []


def test_a_ban_that_is_over_is_taken_off_the_list(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / bans.FILE
    one = made(clock, path)
    for _ in range(3):
        one.failed(HERE, "user")
    one.save()
    clock.now += 601
    assert not one.banned(HERE)
    one.save()
    assert path.read_text() == "[]"


def test_a_ban_of_a_clock_that_was_wrong_lasts_no_longer_than_any(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / bans.FILE
    path.write_text(json.dumps([{"address": HERE, "until": clock.now + 1e6, "failures": 3}]))
    one = made(clock, path)
    one.open()
    clock.now += 599
    assert one.banned(HERE)
    clock.now += 2
    assert not one.banned(HERE)


def test_the_newest_ban_is_listed_first_and_read_last(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / bans.FILE
    one = made(clock, path)
    for address in (HERE, THERE):
        for _ in range(3):
            one.failed(address, "user")
        clock.now += 1
    one.save()
    assert [ban.address for ban in one.listed()] == [THERE, HERE]
    assert [ban.address for ban in read(path, wall=clock)] == [HERE, THERE]


def test_bans_that_cannot_be_written_down_hold_all_the_same(clock: Clock, tmp_path: Path) -> None:
    one = made(clock, tmp_path / "missing" / bans.FILE)
    for _ in range(3):
        one.failed(HERE, "user")
    one.save()
    assert one.banned(HERE)


def test_nothing_is_written_while_nothing_changes(clock: Clock, tmp_path: Path) -> None:
    one = made(clock, tmp_path / bans.FILE)
    one.failed(HERE, "user")
    one.save()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"address": 1}]', '[{"address":"a","until":1e99,"failures":1}]'])
def test_a_broken_file_means_no_bans(clock: Clock, tmp_path: Path, text: str) -> None:
    path = tmp_path / bans.FILE
    path.write_text(text)
    one = made(clock, path)
    one.open()
    assert one.listed() == []


def test_an_attack_from_very_many_addresses_costs_no_more_than_so_much_memory(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bans, "MOST", 100)
    one = made(clock)
    for number in range(1000):
        one.failed(f"once {number}", "user")
        for _ in range(3):
            one.failed(f"thrice {number}", "user")
    assert len(one.listed()) == 100
    assert len(one._tries) <= 100
