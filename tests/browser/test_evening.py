"""An evening at the photo booth, with as few guests as all that goes wrong needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.aws import Aws
from tests.browser.evening import Evening


@pytest.mark.long
def test_each_guest_gets_their_own_once_whatever_is_cut_and_killed(tmp_path: Path, browser: Browser, aws: Aws) -> None:
    with Evening(tmp_path, browser, aws, guests=8) as evening:
        evening.run()
        evening.sent(within=60, hurry=True)
        evening.account()
        assert evening.again == 1
