"""How a camera is reached, for people: the whole address, and no login."""

from __future__ import annotations

from app.bootstrap.reaching import _address
from app.cameras import CameraSettings
from app.cameras.still import StillSettings


def test_the_address_of_a_camera_is_whole_and_holds_no_login() -> None:
    url = "http://me:secret@192.0.2.9:88/cgi-bin/a.jpg?user=me&pwd=secret"
    camera: CameraSettings = StillSettings(kind="still", location="Shed", url=url)
    assert _address(camera) == "http://192.0.2.9:88/cgi-bin/a.jpg"
