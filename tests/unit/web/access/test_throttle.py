"""Wrong passwords: the waits grow, by address and in all, and what is remembered does not."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from app.web.access.throttle import (
    FORGOTTEN_AFTER_S,
    FREE,
    IN_ALL_S,
    LONGEST_WAIT_S,
    MOST_ADDRESSES,
    MOST_IN_ALL,
    Attempts,
)
from tests.fakes.clock import Clock


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock=clock)


def fail(attempts: Attempts, address: str, times: int = 1) -> int:
    for _ in range(times):
        attempts.failed(address)
    return attempts.wait(address)


def test_mistyping_costs_nothing(attempts: Attempts) -> None:
    assert fail(attempts, "10.0.0.1", FREE) == 0


def test_each_further_one_doubles_the_wait_up_to_a_quarter_of_an_hour(attempts: Attempts) -> None:
    fail(attempts, "10.0.0.1", FREE)
    assert [fail(attempts, "10.0.0.1") for _ in range(10)] == [2, 4, 8, 16, 32, 64, 128, 256, 512, LONGEST_WAIT_S]
    assert fail(attempts, "10.0.0.1", 1100) == LONGEST_WAIT_S


def test_the_wait_ends_and_the_next_one_is_longer(attempts: Attempts, clock: Clock) -> None:
    fail(attempts, "10.0.0.1", FREE + 1)
    clock.now += 2
    assert attempts.wait("10.0.0.1") == 0
    assert fail(attempts, "10.0.0.1") == 4


def test_other_addresses_do_not_wait(attempts: Attempts) -> None:
    fail(attempts, "10.0.0.1", FREE + 1)
    assert attempts.wait("10.0.0.2") == 0


def test_an_ipv6_host_has_a_network_to_itself(attempts: Attempts) -> None:
    for number in range(FREE + 1):
        attempts.failed(f"2001:db8:1:2::{number}")
    assert attempts.wait("2001:db8:1:2:ffff::1") > 0
    assert attempts.wait("2001:db8:1:3::1") == 0
    assert fail(attempts, "fe80::1%eth0", FREE + 1) == attempts.wait("fe80::2%eth0") > 0


def test_after_an_hour_of_peace_it_is_forgotten(attempts: Attempts, clock: Clock) -> None:
    fail(attempts, "10.0.0.1", FREE + 3)
    clock.now += FORGOTTEN_AFTER_S
    assert fail(attempts, "10.0.0.1", FREE) == 0


def test_a_program_that_logs_in_beside_a_guesser_does_not_help_him(attempts: Attempts, clock: Clock) -> None:
    waits = []
    for _ in range(FREE + 3):
        waits.append(fail(attempts, "10.0.0.1"))
        clock.now += waits[-1]
        attempts.succeeded("10.0.0.1")
    assert waits[-3:] == [2, 4, 8]


def test_many_addresses_together_have_no_more_guesses_than_a_few(attempts: Attempts, clock: Clock) -> None:
    attempts.succeeded("192.168.1.2")
    for number in range(MOST_IN_ALL):
        attempts.failed(f"2001:db8:{number:x}::1")
    assert attempts.wait("10.9.9.9") == IN_ALL_S
    assert attempts.wait("192.168.1.2") == 0, "who was right before is not shut out by others"
    clock.now += IN_ALL_S
    assert attempts.wait("10.9.9.9") == 0


def test_an_attack_with_many_addresses_costs_no_memory(attempts: Attempts) -> None:
    for number in range(MOST_ADDRESSES + 500):
        attempts.failed(f"10.1.{number // 250}.{number % 250}")
        attempts.wait(f"10.2.{number // 250}.{number % 250}")
    assert len(attempts._records) == MOST_ADDRESSES


def test_an_attack_with_many_addresses_does_not_make_it_forget_who_was_seen_last(attempts: Attempts) -> None:
    attempts.succeeded("10.0.0.1")
    fail(attempts, "10.0.0.1", FREE)
    for number in range(MOST_ADDRESSES - 1):
        attempts.failed(f"10.1.{number // 250}.{number % 250}")
    assert fail(attempts, "10.0.0.1") == 2
    attempts.failed("10.9.9.9")
    assert attempts.wait("10.0.0.1") == 2, "its own wait, and no longer one than before"


def test_the_log_says_from_where_and_when_it_locks(attempts: Attempts) -> None:
    with capture_logs() as lines:
        fail(attempts, "10.0.0.1", FREE + 1)
    assert [line["event"] for line in lines] == ["login refused"] * (FREE + 1) + ["login locked"]
    assert lines[-1]["address"] == "10.0.0.1"
