"""What is wrong with parameters and bodies, in words."""

from __future__ import annotations

import pytest

from app.web.api.camera_config_models import MOST_SETTINGS, CameraWishBody
from app.web.api.validation import checked
from app.web.errors import BadRequest


def test_too_much_of_what_is_not_counted_to_its_end_is_said_too() -> None:
    settings = {f"x{number}": 1 for number in range(MOST_SETTINGS + 1)}
    with pytest.raises(BadRequest, match=f"settings: at most {MOST_SETTINGS} at once$"):
        checked(CameraWishBody, {"settings": settings}, "bad_field")
