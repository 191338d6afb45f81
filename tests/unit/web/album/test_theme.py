"""Light or dark by a cookie, so that the first paint is right and no script is needed."""

from __future__ import annotations

from tests.fakes.web import Client
from tests.unit.web.album.pages import look, post


def switched(client: Client, theme: str, *, came_from: str = "http://here/cameras?q=a") -> str:
    """The cookie that comes of it."""
    headers = {"Referer": came_from}
    answer = client.post("/theme", data={"theme": theme}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cameras?q=a")
    return answer.headers["set-cookie"]


def test_a_theme_that_was_chosen_is_that_of_each_page_for_a_year(client: Client) -> None:
    assert "data-theme" not in look(client, "/cameras").all("html")[0]
    cookie = switched(client, "dark")
    assert cookie.startswith("theme=dark; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax")
    page = client.get("/cameras", headers={"Cookie": "theme=dark"}).text
    assert '<html lang="en" data-theme="dark">' in page
    assert '<meta name="color-scheme" content="dark">' in page
    assert page.count('name="theme-color"') == 1
    assert "Max-Age=0" in switched(client, "auto").replace('""', "")


def test_another_word_is_the_device_s_theme_and_gets_into_no_page(client: Client) -> None:
    assert "data-theme" not in client.get("/", headers={"Cookie": 'theme="><script>'}).text.partition("<head>")[0]
    assert "Max-Age=0" in switched(client, "purple")


def test_it_never_leads_to_another_host(client: Client) -> None:
    assert post(client, "/theme", data={"theme": "dark"}, came_from="//evil.example/x") == "/evil.example/x"
