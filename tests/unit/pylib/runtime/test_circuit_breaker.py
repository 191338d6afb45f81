"""A circuit breaker leaves alone what keeps failing, and finds out by one probe when it is back."""

from __future__ import annotations

import threading

import pytest

from pylib.runtime.circuit_breaker import Breaker, State
from tests.fakes.clock import Clock


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock=clock)


def open_it(breaker: Breaker) -> None:
    for _ in range(3):
        breaker.failed()


def fail_a_probe(breaker: Breaker, clock: Clock) -> float:
    clock.now += breaker.retry_in
    assert breaker.allow()
    breaker.failed()
    return breaker.retry_in


def test_a_new_circuit_lets_everything_pass(breaker: Breaker) -> None:
    assert breaker.state is State.CLOSED
    assert breaker.allow()
    assert breaker.allow()
    assert breaker.retry_in == 0


def test_two_failures_in_a_row_change_nothing(breaker: Breaker) -> None:
    breaker.failed()
    breaker.failed()
    assert breaker.state is State.CLOSED
    assert breaker.allow()


def test_the_third_failure_in_a_row_opens_it_for_five_seconds(breaker: Breaker) -> None:
    open_it(breaker)
    assert breaker.state is State.OPEN
    assert not breaker.allow()
    assert breaker.retry_in == 5


def test_a_success_between_failures_starts_the_count_afresh(breaker: Breaker) -> None:
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.allow()


def test_a_final_failure_opens_it_at_once_and_for_five_minutes(breaker: Breaker) -> None:
    breaker.failed(final=True)
    assert not breaker.allow()
    assert breaker.retry_in == 300


def refuse(breaker: Breaker) -> None:
    assert breaker.allow()
    breaker.failed(final=True)


def test_a_peer_that_worked_is_believed_only_when_it_refuses_three_times_over_a_minute(
    breaker: Breaker, clock: Clock
) -> None:
    breaker.succeeded()
    refuse(breaker)
    assert (breaker.state, breaker.retry_in) == (State.CLOSED, 0)
    clock.now += 1
    refuse(breaker)
    assert breaker.retry_in == 60
    clock.now += 60
    refuse(breaker)
    assert breaker.retry_in == 300


def test_refusals_within_a_minute_are_doubted_however_many(breaker: Breaker, clock: Clock) -> None:
    breaker.succeeded()
    for _ in range(5):
        refuse(breaker)
        clock.now += 5
        breaker.probe_now()
    breaker.allow()
    breaker.failed(final=True)
    assert breaker.retry_in == 60


def test_a_success_between_refusals_takes_them_back(breaker: Breaker, clock: Clock) -> None:
    breaker.succeeded()
    for _ in range(4):
        refuse(breaker)
        clock.now += 40
        breaker.succeeded()
    assert breaker.state is State.CLOSED


def test_a_peer_that_worked_and_fails_in_other_ways_too_is_left_alone_after_three_failures(breaker: Breaker) -> None:
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    breaker.failed(final=True)
    assert breaker.retry_in == 5


def test_after_the_cooldown_exactly_one_probe_passes(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 5
    assert breaker.state is State.HALF_OPEN
    assert breaker.allow()
    assert not breaker.allow()
    assert breaker.state is State.HALF_OPEN


def test_a_probe_that_succeeds_closes_it_and_forgives_all(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 5
    breaker.allow()
    breaker.succeeded()
    assert breaker.state is State.CLOSED
    assert breaker.retry_in == 0
    assert breaker.allow()
    assert breaker.allow()
    breaker.failed()
    assert breaker.state is State.CLOSED


def test_after_a_probe_that_failed_it_is_open_again(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    fail_a_probe(breaker, clock)
    assert breaker.state is State.OPEN
    assert not breaker.allow()


def test_whoever_mended_something_has_it_tried_at_once(breaker: Breaker) -> None:
    breaker.failed(final=True)
    breaker.probe_now()
    assert breaker.retry_in == 0
    assert breaker.state is State.HALF_OPEN
    assert breaker.allow()
    assert not breaker.allow()


def test_each_probe_that_fails_doubles_the_cooldown_up_to_half_a_minute(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    assert [fail_a_probe(breaker, clock) for _ in range(5)] == [10, 20, 30, 30, 30]


def test_one_that_refused_and_is_away_now_is_asked_again_soon(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(final=True)
    assert fail_a_probe(breaker, clock) == 30


def test_who_waits_for_nobody_chooses_longer_pauses(clock: Clock) -> None:
    breaker = Breaker(longest=100, refused=1000, clock=clock)
    open_it(breaker)
    assert [fail_a_probe(breaker, clock) for _ in range(6)] == [10, 20, 40, 80, 100, 100]
    breaker.failed(final=True)
    assert breaker.retry_in == 1000


def test_once_closed_again_the_next_cooldown_is_short(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    fail_a_probe(breaker, clock)
    clock.now += breaker.retry_in
    breaker.allow()
    breaker.succeeded()
    open_it(breaker)
    assert breaker.retry_in == 5


def test_a_late_failure_of_an_earlier_attempt_does_not_prolong_the_cooldown(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 4
    breaker.failed()
    assert breaker.retry_in == 1


def test_a_probe_whose_outcome_is_never_told_does_not_block_for_ever(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 5
    assert breaker.allow()
    clock.now += 5
    assert breaker.allow()


def test_of_many_threads_one_gets_to_probe(breaker: Breaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now += 5
    allowed: list[bool] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        allowed.append(breaker.allow())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True]
