"""Who guesses passwords is kept out for a while; who knows one is not, whoever shares his address."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pylib.net import login_throttle
from pylib.net.login_throttle import ALL, IN_ALL_S, MANY_LOGINS, WELCOME_S, WELCOME_SHARE, LoginThrottle, read
from tests.fakes.clock import Clock

HERE, THERE, FAR = "192.168.1.7", "192.168.1.8", "2a03::1"
GUESSES = count()


def made(clock: Clock, path: Path | None = None, **changes: object) -> LoginThrottle:
    rules = {"after": 3, "within": 60, "wait": 600, **changes}
    return LoginThrottle("ftp", path=path, clock=clock, wall=clock, **rules)  # type: ignore[arg-type]


def fail(throttle: LoginThrottle, address: str, login: str = "", times: int = 1) -> list[bool]:
    """Guess differently each time."""
    return [throttle.failed(address, login, next(GUESSES)) for _ in range(times)]


# -- by login and address ---------------------------------------------------------------------------


def test_ten_wrong_logins_of_one_camera_ban_no_other_that_shares_its_address(clock: Clock) -> None:
    throttle = made(clock, after=10)
    assert fail(throttle, HERE, "yard", 10) == [False] * 9 + [True]
    assert throttle.wait(HERE, "yard") == 600
    assert throttle.wait(HERE, "door") == 0
    assert throttle.wait(THERE, "yard") == 0


def test_a_camera_that_repeats_an_old_password_guesses_nothing(clock: Clock) -> None:
    throttle = made(clock)
    for _ in range(100):
        assert not throttle.failed(HERE, "shared", "old password")
        clock.now += 1
    assert throttle.wait(HERE, "shared") == 0


def test_a_login_that_worked_from_there_lately_stays_welcome(clock: Clock) -> None:
    throttle = made(clock)
    throttle.succeeded(HERE, "door")
    fail(throttle, HERE, "", 3)
    assert throttle.wait(HERE, "door") == 0
    assert throttle.wait(HERE, "yard") == 600
    fail(throttle, HERE, "door", 3)
    assert throttle.wait(HERE, "door") == 0
    clock.now += WELCOME_S
    fail(throttle, HERE, "door", 3)
    assert throttle.wait(HERE, "door") == 600


def test_but_not_as_a_means_to_guess_it_for_ever(clock: Clock) -> None:
    throttle = made(clock)
    for _ in range(3 * WELCOME_SHARE):
        throttle.succeeded(HERE, "door")
        fail(throttle, HERE, "door")
    assert throttle.wait(HERE, "door") == 600


def test_logins_that_do_not_exist_count_by_address(clock: Clock) -> None:
    throttle = made(clock)
    assert fail(throttle, HERE, "", 3) == [False, False, True]
    assert throttle.wait(HERE, "yard") == throttle.wait(HERE) == 600
    assert throttle.wait(THERE) == 0


def test_who_tries_one_login_after_the_other_is_banned_with_all(clock: Clock) -> None:
    throttle = made(clock)
    for number in range(MANY_LOGINS):
        assert throttle.wait(HERE, f"camera {number}") == 0
        fail(throttle, HERE, f"camera {number}", 3)
    assert throttle.wait(HERE, "another") == 600


def test_an_ipv6_home_is_one_address(clock: Clock) -> None:
    throttle = made(clock)
    for number in range(3):
        fail(throttle, f"2001:db8:1:2::{number}")
    assert throttle.wait("2001:db8:1:2:ffff::1") == 600
    assert throttle.wait("2001:db8:1:3::1") == 0


def storm(throttle: LoginThrottle, guesses: int) -> None:
    """One guess from each of many addresses."""
    for number in range(guesses):
        fail(throttle, f"2a02:{number:x}::1")


def test_many_addresses_together_have_no_more_guesses_than_a_few(clock: Clock) -> None:
    throttle = made(clock, most_in_all=60)
    throttle.succeeded("2a04::1", "door")
    storm(throttle, 60)
    assert throttle.wait(FAR, "door") == IN_ALL_S
    assert throttle.wait("2a04::1", "door") == 0, "who was right before is not shut out by others"
    clock.now += IN_ALL_S
    assert throttle.wait(FAR, "door") == 0


def test_without_such_a_limit_guesses_of_others_lock_nobody_out(clock: Clock) -> None:
    throttle = made(clock)
    storm(throttle, 100)
    assert throttle.wait(FAR, "door") == 0
    assert throttle.bans() == []


@pytest.mark.parametrize("address", [HERE, "127.0.0.1", "::1", "fd00::1", "fe80::1%eth0", "169.254.1.2", "10.0.0.1"])
def test_a_storm_outside_locks_nobody_out_at_home_and_none_at_home_locks_out_others(clock: Clock, address: str) -> None:
    throttle = made(clock, most_in_all=60)
    storm(throttle, 60)
    assert throttle.wait(address, "door") == 0
    at_home = made(clock, most_in_all=2)
    fail(at_home, address, "", 2)
    assert at_home.wait(FAR, "door") == 0


def test_a_storm_is_listed_as_a_ban_and_lifted(clock: Clock, tmp_path: Path) -> None:
    throttle = made(clock, tmp_path / "bans.json", most_in_all=60)
    fail(throttle, HERE, "door", 3)
    storm(throttle, 60)
    assert [(ban.address, ban.login, ban.failures) for ban in throttle.bans()] == [(ALL, "", 60), (HERE, "door", 3)]
    assert throttle.bans()[0].until.timestamp() == clock.now + IN_ALL_S
    throttle.save()
    assert [ban.address for ban in read(tmp_path / "bans.json", wall=clock)] == [HERE], "it is over after a restart"
    assert throttle.lift(ALL) == 1
    assert throttle.wait(FAR, "door") == 0
    storm(throttle, 60)
    assert throttle.lift() == 2
    assert throttle.wait(FAR, "door") == 0


def test_a_guess_that_was_wrong_need_not_be_checked_again(clock: Clock) -> None:
    throttle = made(clock)
    throttle.failed(HERE, "", "wrong")
    assert throttle.was_wrong(HERE, "", "wrong")
    assert not throttle.was_wrong(HERE, "", "right")
    assert not throttle.was_wrong(THERE, "", "wrong")


# -- for how long -----------------------------------------------------------------------------------


def test_a_ban_ends(clock: Clock) -> None:
    throttle = made(clock)
    fail(throttle, HERE, "door", 3)
    clock.now += 599
    assert throttle.wait(HERE, "door") == 1
    clock.now += 1
    assert throttle.wait(HERE, "door") == 0
    assert throttle.bans() == []
    assert fail(throttle, HERE, "door") == [False]


def test_wrong_logins_long_ago_do_not_count(clock: Clock) -> None:
    throttle = made(clock)
    for _ in range(10):
        assert fail(throttle, HERE, "door") == [False]
        clock.now += 31


def test_each_further_ban_is_twice_as_long_up_to_the_longest(clock: Clock) -> None:
    throttle = made(clock, after=6, within=3600, wait=2, longest=900)
    fail(throttle, HERE, times=5)
    waits = []
    for _ in range(11):
        fail(throttle, HERE)
        waits.append(throttle.wait(HERE))
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    clock.now += 3600
    fail(throttle, HERE, times=6)
    assert throttle.wait(HERE) == 2


def test_lifting_ends_a_ban_and_forgets_what_led_to_it(clock: Clock) -> None:
    throttle = made(clock)
    for address in (HERE, THERE):
        fail(throttle, address, "door", 3)
    assert throttle.lift("10.0.0.1") == 0
    assert throttle.lift(HERE) == 1
    assert (throttle.wait(HERE, "door"), throttle.wait(THERE, "door")) == (0, 600)
    assert fail(throttle, HERE, "door", 2) == [False, False]
    assert throttle.lift() == 1
    assert throttle.bans() == []


def test_a_ban_is_told_and_logged(clock: Clock) -> None:
    told: list[str] = []
    with capture_logs() as lines:
        fail(made(clock, on_ban=told.append), HERE, "door", 3)
    assert told == [HERE]
    assert [line["event"] for line in lines] == ["login refused"] * 3 + ["login locked"]
    assert (lines[-1]["server"], lines[-1]["address"], lines[-1]["failures"]) == ("ftp", HERE, 3)


# -- across restarts --------------------------------------------------------------------------------


def test_bans_and_welcome_logins_outlive_the_process(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "ftp-bans.json"
    throttle = made(clock, path)
    throttle.succeeded(HERE, "yard")
    fail(throttle, HERE, "door", 3)
    fail(throttle, THERE, "", 3)
    throttle.save()
    assert [(ban.address, ban.login, ban.failures) for ban in read(path, wall=clock)] == [
        (HERE, "door", 3),
        (THERE, "", 3),
    ]
    assert read(path, wall=clock)[0].until.timestamp() == clock.now + 600
    clock.now += 500
    again = made(clock, path)
    again.open()
    assert (again.wait(HERE, "door"), again.wait(THERE, "any")) == (100, 100)
    fail(again, HERE, "yard", 3)
    assert again.wait(HERE, "yard") == 0
    clock.now += 100
    assert again.bans() == read(path, wall=clock) == []
    again.save()
    assert json.loads(path.read_text())["bans"] == []


def test_bans_of_the_last_release_which_were_of_all_logins_are_dropped(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "ftp-bans.json"
    path.write_text(json.dumps([{"address": HERE, "until": clock.now + 60, "failures": 10}]))
    throttle = made(clock, path)
    with capture_logs() as lines:
        throttle.open()
    assert throttle.wait(HERE, "door") == 0
    assert [line["event"] for line in lines] == ["bans of an older release are dropped, they were of all logins"]
    throttle.save()
    with capture_logs() as lines:
        made(clock, path).open()
    assert lines == [], "it is said once"


def test_a_ban_of_a_clock_that_was_wrong_lasts_no_longer_than_any(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "ftp-bans.json"
    ban = {"address": HERE, "login": "", "until": clock.now + 1e6, "failures": 3}
    path.write_text(json.dumps({"bans": [ban]}))
    throttle = made(clock, path)
    throttle.open()
    assert throttle.wait(HERE) == 600


def test_bans_that_cannot_be_written_down_hold_all_the_same(clock: Clock, tmp_path: Path) -> None:
    throttle = made(clock, tmp_path / "missing" / "ftp-bans.json")
    fail(throttle, HERE, "door", 3)
    throttle.save()
    assert throttle.wait(HERE, "door") == 600


def test_nothing_is_written_while_nothing_changes(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "ftp-bans.json"
    throttle = made(clock, path)
    fail(throttle, HERE, "door")
    throttle.save()
    assert not path.exists()
    throttle.succeeded(HERE, "door")
    throttle.save()
    path.unlink()
    throttle.succeeded(HERE, "door")
    throttle.save()
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[1]", "{}", "[" * 100_000, '{"bans": 1}', '{"bans": [{"address": 1}]}'),
        '{"bans": [{"address": "a", "login": "", "until": 1e99, "failures": 1}]}',
    ],
)
def test_a_broken_file_means_no_bans(clock: Clock, tmp_path: Path, text: str) -> None:
    path = tmp_path / "ftp-bans.json"
    path.write_text(text)
    throttle = made(clock, path)
    throttle.open()
    assert throttle.bans() == []


def test_an_attack_with_many_addresses_costs_no_memory_and_forgets_who_is_welcome_last(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_throttle, "MOST", 100)
    throttle = made(clock)
    throttle.succeeded(HERE, "door")
    for number in range(300):
        fail(throttle, f"10.1.{number}.1")
        fail(throttle, f"10.2.{number}.1", "", 3)
    assert len(throttle.bans()) == len(throttle._records) == 100
    fail(throttle, HERE, "door", 3)
    assert throttle.wait(HERE, "door") == 0


def test_a_guesser_costs_no_memory(clock: Clock) -> None:
    throttle = made(clock)
    fail(throttle, HERE, "", 1000)
    assert len(throttle._records[HERE, ""].guesses) == 2
