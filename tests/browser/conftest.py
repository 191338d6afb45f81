"""One browser, the services it looks at, and a visit for each test."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.chromium import chromium
from tests.browser.drawing import scene
from tests.browser.house import PASSWORD, house
from tests.browser.proxy import Proxy
from tests.browser.seeds import a_visit, at, oddities, ordinary_days, today
from tests.browser.telling_house import TellingHouse
from tests.browser.visit import Screen, Visit
from tests.e2e.process import ServiceProcess

OpenVisit = Callable[..., Visit]
House = ServiceProcess | Proxy | TellingHouse
CallOn = Callable[[House], Visit]

on_a_desktop = pytest.mark.parametrize("screen", ["desktop"])
"""For a test of something that is the same on every screen."""
on_a_phone = pytest.mark.parametrize("screen", ["phone"])
"""For one of what is the same but for the room there is, which a phone has least of; and for fingers."""


def url_of(house: House) -> str:
    """Where its album is, without a slash at its end."""
    return f"http://127.0.0.1:{house.port}" if isinstance(house, ServiceProcess) else house.url


# All of the package and not of the session: while Playwright runs, no other test can run an event loop of its own.


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def album(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Three weeks of pictures, for tests that only look."""
    with house(tmp_path_factory.mktemp("album"), [*ordinary_days(), *oddities(), *today()]) as service:
        yield service


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A house where things happen, for tests that change something."""
    with house(tmp_path_factory.mktemp("home"), [*ordinary_days(2), *oddities(), *a_visit()]) as service:
        yield service


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """One that asks for a password."""
    with house(tmp_path_factory.mktemp("guarded"), [*ordinary_days(1)], {"WEB_PASSWORD": PASSWORD}) as service:
        yield service


@pytest.fixture(scope="package")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """One that asks for a password, behind a reverse proxy under a path."""
    with Proxy("/home/cameras") as proxy:
        settings = {"WEB_PASSWORD": PASSWORD, "WEB_PUBLIC_URL": proxy.url, "WEB_TRUSTED_PROXIES": "127.0.0.1/32"}
        with house(tmp_path_factory.mktemp("proxied"), [*ordinary_days(1)], settings) as service:
            proxy.upstream = service.port
            yield proxy


@pytest.fixture(params=["desktop", "phone"])
def screen(request: pytest.FixtureRequest) -> Screen:
    """A test that asks for it is run on both, unless it says on which."""
    which: Screen = request.param
    return which


@pytest.fixture
def visit(browser: Browser) -> Iterator[OpenVisit]:
    """Opens windows: `visit(service, screen="phone", color_scheme="dark")`; fails when one of them complained."""
    visits: list[Visit] = []

    def begin(of: House, *, screen: Screen = "desktop", **options: Any) -> Visit:
        visits.append(Visit(browser, url_of(of), screen=screen, **options))
        return visits[-1]

    yield begin
    for one in visits:
        one.close()


@pytest.fixture(scope="package")
def regulars(browser: Browser) -> Iterator[Callable[[House, Screen], Visit]]:
    """One for each house and screen: what pages are made of is loaded once, half of the work of showing one."""
    known: dict[tuple[str, Screen], Visit] = {}

    def regular(of: House, screen: Screen) -> Visit:
        url = url_of(of)
        if (url, screen) not in known:
            known[url, screen] = Visit(browser, url, screen=screen)
        return known[url, screen]

    yield regular
    for one in known.values():
        one.close()


@pytest.fixture
def call_on(regulars: Callable[[House, Screen], Visit], screen: Screen) -> Iterator[CallOn]:
    """Opens the window of somebody who comes to this house often, but is known to nobody: `call_on(service)`."""
    callers: list[Visit] = []

    def begin(of: House) -> Visit:
        callers.append(regulars(of, screen))
        return callers[-1]

    yield begin
    for one in callers:
        one.leave()


@pytest.fixture
def looking(call_on: CallOn, album: ServiceProcess) -> Visit:
    """Somebody who looks at the album, on a desktop and on a phone."""
    return call_on(album)


@pytest.fixture
def living(call_on: CallOn, home: ServiceProcess) -> Visit:
    """Somebody who lives where things happen."""
    return call_on(home)


@pytest.fixture
def page(looking: Visit) -> Page:
    """The album's first page."""
    return looking.go()


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A picture that no album has yet."""
    with Image.open(io.BytesIO(scene("Garden", at(1, 12)).picture(at(1, 12)))) as image:
        path = tmp_path / "drawn by hand.jpg"
        image.resize((640, random.randrange(300, 420))).save(path, quality=random.randrange(60, 95))
    return path
