"""Where what a device names really is: at the host where it was found."""

from __future__ import annotations

import pytest

from app.cameras import CameraUnavailable
from app.cameras.address import CameraTarget, HostPort
from app.cameras.onvif.place import place_of


def target(host: str = "10.0.0.5", port: int = 80) -> CameraTarget:
    return CameraTarget(HostPort(host, port), "viewer", "secret")


@pytest.mark.parametrize(
    ("said", "at", "inner", "url", "named"),
    [
        ("http://10.0.0.5/snap?a=1&b", target(), 80, "http://10.0.0.5:80/snap?a=1&b", ""),
        ("http://10.0.0.5:8080/snap", target(), 80, "http://10.0.0.5:8080/snap", ""),
        ("http://192.168.0.9/snap", target(port=8001), 80, "http://10.0.0.5:8001/snap", "192.168.0.9"),
        ("http://192.168.0.9:8080/snap", target(port=8001), 80, "http://10.0.0.5:8080/snap", "192.168.0.9"),
        ("http://me:pw@10.0.0.5/#x", target(), 80, "http://10.0.0.5:80/", ""),
        ("http://10.0.0.5/snap", target("cam.lan"), 80, "http://cam.lan:80/snap", ""),
        ("https://10.0.0.5/snap", target(), 80, "https://10.0.0.5:443/snap", ""),
        (" /snap ", target(port=81), None, "http://10.0.0.5:81/snap", ""),
        ("http://[fe80::1]/snap", target("fd00::5"), 80, "http://[fd00::5]:80/snap", "fe80::1"),
    ],
)
def test_the_host_is_the_one_that_was_configured(
    said: str, at: CameraTarget, inner: int | None, url: str, named: str
) -> None:
    place = place_of(said, at, https=False, inner_port=inner)
    assert (place.url, place.named) == (url, named)
    assert str(place.target.place) == url.split("/")[2]
    assert (place.target.username, place.target.password) == ("viewer", "secret")


def test_what_is_asked_over_tls_stays_so() -> None:
    place = place_of("http://10.0.0.5/snap", target(port=443), https=True, inner_port=443)
    assert place.url == "https://10.0.0.5:443/snap"


@pytest.mark.parametrize(
    "said", ["ftp://10.0.0.5/", "snap", "", "http://10.0.0.5:x/", "http://[::1/", "http://a/\r\nX: y", "/" * 2_001]
)
def test_an_address_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(CameraUnavailable, match="bad_address"):
        place_of(said, target(), https=False)
