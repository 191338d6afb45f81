"""What strangers may see of a configuration, and of text that quotes it."""

from __future__ import annotations

from typing import Any

import pytest

from app.config.disguise import Disguise
from app.config.settings import Settings

PRIVATE = {
    "location": "Grandma's Garden",
    "url": "http://cam.smith.example/a.jpg?key=4711",
    "username": "joe.smith",
    "password": "hunter22x",
}


def disguise(**more: Any) -> Disguise:
    return Disguise(Settings.model_validate({"cameras": [{"kind": "still", **PRIVATE}], **more}))


def test_settings_show_numbers_switches_and_choices_and_of_the_rest_whether_it_is_set() -> None:
    (camera,) = disguise(web={"port": 8123}, log={"level": "debug"}).settings["cameras"]
    assert camera == {"kind": "still", "location": "(set)", "url": "(set)", "username": "(set)", "password": "(set)"}
    shown = disguise(web={"port": 8123}, log={"level": "debug"}).settings
    assert (shown["web"], shown["log"]) == ({"port": 8123}, {"level": "debug"})
    assert not [value for value in PRIVATE.values() if value in str(shown)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Grandma's Garden failed", "<cameras[0].location> failed"),
        ('camera="GRANDMA\'S GARDEN"', 'camera="<cameras[0].location>"'),
        ("/cameras/grandma-s-garden", "/cameras/<cameras[0].location>"),
        ("uploads/grandma'sgarden/a.jpg", "uploads/<cameras[0].location>/a.jpg"),
        ("cam.smith.example:80 refuses joe.smith", "<cameras[0].url>:80 refuses <cameras[0].username>"),
        ("sent hunter22x", "sent <cameras[0].password>"),
        ("10.1.2.3 and fe80::1:2:3 asked", "<address> and <address> asked"),
        ("127.0.0.1 and 0.0.0.0 name nobody", "127.0.0.1 and 0.0.0.0 name nobody"),
        ("mail to ann@smith.example", "mail to <address>"),
        ("https://other.example/path", "https://<address>/path"),
        ("token sp_0123456789abcdef0123456789abcdef01234567", "token <key>"),
        ("a camera, 3 snapshots", "a camera, 3 snapshots"),
    ],
)
def test_text_says_which_setting_instead_of_its_value(text: str, told: str) -> None:
    assert disguise().text(text) == told


def test_data_is_told_with_its_names() -> None:
    data = {"Grandma's Garden": [1, None, {"why": "hunter22x"}]}
    assert disguise().value(data) == {"<cameras[0].location>": [1, None, {"why": "<cameras[0].password>"}]}
