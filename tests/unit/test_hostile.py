"""Whatever bytes come from outside are taken or refused; `make fuzz` tries more of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.hostile.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_what_reads_strangers_bytes_takes_them_or_refuses_them(name: str) -> None:
    @settings(max_examples=10)
    @given(TARGETS[name].inputs)
    def tried(data: bytes) -> None:
        TARGETS[name].try_one(data)

    tried()
