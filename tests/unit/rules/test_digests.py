"""When many messages become one."""

from __future__ import annotations

from app.rules.digests import Digests
from app.rules.model import Digest

FEW = Digest(after=2, within=600)


def test_without_a_number_every_message_goes_at_once() -> None:
    digests = Digests()
    assert [digests.digest_at(Digest(), "phone", float(now)) for now in range(1, 99)] == [0.0] * 98


def test_what_is_too_many_waits_for_one_digest_and_then_it_begins_anew() -> None:
    digests = Digests()
    assert [digests.digest_at(FEW, "phone", now) for now in (1000.0, 1100.0)] == [0, 0]
    assert [digests.digest_at(FEW, "phone", now) for now in (1200.0, 1300.0, 1799.0)] == [1800.0] * 3
    assert [digests.digest_at(FEW, "phone", now) for now in (1800.0, 1801.0, 1802.0)] == [0, 0, 2402.0]


def test_each_outlet_has_its_own_count_and_what_is_long_ago_does_not_count() -> None:
    digests = Digests()
    assert [digests.digest_at(FEW, outlet, 1000.0) for outlet in ("phone", "phone", "mail")] == [0, 0, 0]
    assert digests.digest_at(FEW, "phone", 1600.0) == 0
