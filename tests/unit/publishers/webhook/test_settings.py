"""Mistakes in a webhook's settings, found before the first event, at their place and without what is secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config.settings import load
from app.publishers.webhook.settings import WebhookSettings
from pylib.settings.credentials import Secret
from pylib.settings.draft import ConfigError


def problem(folder: Path, lines: str) -> str:
    file = folder / "config.yml"
    file.write_text(f"publishers:\n  - kind: webhook\n{lines}")
    with pytest.raises(ConfigError) as raised:
        load(file, {}, secrets=folder)
    (found,) = raised.value.problems
    return found.removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "publishers[0].url"),
        ("    url: ftp://s3cret\n", "publishers[0].url (line 3): must be an http or https address"),
        ("    url: http://\n", "publishers[0].url (line 3): must be an http or https address"),
        ("    url: http://x:s3cret/\n", "publishers[0].url (line 3): must be an http or https address"),
        ("    url: http://*.s3cret.example\n", "publishers[0].url (line 3): must have a host of 1 to 63 letters"),
        (f"    url: http://{'s3cret' * 11}.example\n", "publishers[0].url (line 3): must have a host of 1 to 63"),
        ("    url: http://s3cret..example\n", "publishers[0].url (line 3): must have a host of 1 to 63 letters"),
        (
            "    url: http://x\n    format: multipart\n    headers: {content-type: s3cret}\n",
            "publishers[0] (line 2): the header Content-Type says how the parts of a form are told apart: leave it out",
        ),
        ("    url: http://x/s3cret s3cret\n", "publishers[0].url (line 3): must be an http or https address"),
        ("    url: http://x\n    method: GET\n", "publishers[0].method (line 4): 'GET' is not one of POST or PUT"),
        (
            "    url: http://x\n    body: '{{ device_lable }}'\n",
            "publishers[0].body (line 4): The template body fails: 'device_lable' is undefined.",
        ),
        (
            "    url: http://x\n    body: |\n      a\n      {% if %}\n",
            "publishers[0].body (line 4): The template body fails: Expected an expression",
        ),
        (
            "    url: http://x\n    headers: {Authorization: 'Bearer s3cret{{ s3cret }}'}\n",
            "publishers[0].headers (line 4): the template of the header Authorization fails",
        ),
        ("    url: http://x\n    headers: {'a b': x}\n", "publishers[0].headers (line 4): the name of a header"),
        ("    url: http://x\n    headers: {Host: x}\n", "publishers[0].headers (line 4): the header Host is not yours"),
        ("    url: http://x\n    headers: s3cret\n", "publishers[0].headers (line 4): must be a map"),
        ("    url: http://x\n    ca_file: /no/such.pem\n", "publishers[0].ca_file (line 4)"),
    ],
)
def test_a_mistake_is_said_at_its_place(tmp_path: Path, lines: str, said: str) -> None:
    found = problem(tmp_path, lines)
    assert found.startswith(said)
    assert "s3cret" not in found


def test_the_environment_has_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "c.yml").touch()
    environ = {
        "PUBLISHER_1_KIND": "webhook",
        "PUBLISHER_1_URL": "https://home.example/in?token=t0ken",
        "PUBLISHER_1_HEADERS": '{"Authorization": "Bearer x"}',
        "PUBLISHER_1_SECRET": "k3y",
    }
    (made,) = load(tmp_path / "c.yml", environ, secrets=tmp_path).publishers
    assert isinstance(made, WebhookSettings)
    assert made.headers["Authorization"].get_secret_value() == "Bearer x"
    assert made.shown == "home.example"
    assert not {"t0ken", "Bearer x", "k3y"} & set(repr(made).split("'"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:s3cret@host:81/s3cret?s3cret#s3cret", "host:81"),
        ("https://[::1]:8443/", "[::1]:8443"),
        (" https://host ", "host"),
        ("http://my_box.müller.example.:8080", "my_box.müller.example.:8080"),
    ],
)
def test_in_sentences_the_target_is_host_and_port(url: str, shown: str) -> None:
    assert WebhookSettings(url=Secret(url)).shown == shown
