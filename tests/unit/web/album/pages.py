"""Pages as a browser without JavaScript reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from tests.fakes.web import Client

PAGE = {"Accept": "text/html"}


@dataclass
class Read(HTMLParser):
    """What a page holds."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, css_class: str = "") -> list[dict[str, str]]:
        """The attributes of all such elements."""
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and (not css_class or css_class in attributes.get("class", "").split())
        ]

    @property
    def cards(self) -> list[str]:
        """The ids of the pictures in the grid."""
        return [card["id"] for card in self.all("article", "card")]

    @property
    def addresses(self) -> list[str]:
        """Everything that the page leads to or loads."""
        names = ("href", "src", "action", "hx-get", "hx-post", "data-live", "data-home", "data-upload", "data-page")
        found = [attributes[name] for _, attributes in self.tags for name in names if name in attributes]
        return [address for address in found if address and not address.startswith("#")]


def read(html: str) -> Read:
    page = Read()
    page.feed(html)
    return page


def look(client: Client, path: str, *, status: int = 200) -> Read:
    """The page at this path."""
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == status, answer.text
    return read(answer.text)


def post(client: Client, path: str, *, came_from: str = "", **options: Any) -> str:
    """Send a form; returns where it leads to."""
    headers = {**PAGE, **({"Referer": client.url + came_from} if came_from else {})}
    answer = client.post(path, headers=headers, **options)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]
