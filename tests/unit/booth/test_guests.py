"""What guests may type: any script, within limits, and an address that can be one."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.booth.guests import METADATA_BYTES, BadGuest, Guest, ascii_address, metadata


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" Ada  Lovelace ", "Ada Lovelace"),
        ("ليلى", "ليلى"),
        ("נעמי", "נעמי"),
        ("张伟", "张伟"),
        ("a\r\nBcc: x\u202eb", "a Bcc: x b"),
        ("é" * 300, "é" * 300),
    ],
)
def test_a_name_is_of_any_script_and_one_line(typed: str, name: str) -> None:
    assert Guest.checked(typed, "a@b.example", consent=True).name == name


@pytest.mark.parametrize(
    "email", ["ada@example.org", "a.b+c@xn--bcher-kva.example", "ada@bücher.example", " ada @b.de"]
)
def test_an_address_that_can_be_one_is_taken(email: str) -> None:
    assert Guest.checked("Ada", email, consent=True).email == email.replace(" ", "")


@pytest.mark.parametrize(
    "email",
    [
        *("", "ada", "ada@", "@b.de", "ada@b", "a@@b.de", "a@b..de", "a@-b.de", ".a@b.de", "a.@b.de", "a..b@b.de"),
        *("a@b.de,c@d.de", "a@b.de\r\nBcc: c@d.de", "<a@b.de>", f"{'a' * 65}@b.de", f"a@{'b' * 64}.de"),
        f"a@{'.'.join(['b' * 60] * 5)}.de",
    ],
)
def test_what_cannot_be_an_address_is_refused_with_one_sentence(email: str) -> None:
    with pytest.raises(BadGuest, match=r"looks like name@example\.org"):
        Guest.checked("Ada", email, consent=True)


@pytest.mark.parametrize(
    ("name", "consent", "code"), [("", True, "bad_name"), ("a" * 301, True, "bad_name"), ("Ada", False, "no_consent")]
)
def test_name_and_consent_are_needed(name: str, consent: bool, code: str) -> None:
    with pytest.raises(BadGuest) as refused:
        Guest.checked(name, "a@b.example", consent=consent)
    assert refused.value.code == code


def test_mail_servers_get_the_domain_in_ascii() -> None:
    assert ascii_address("ada@bücher.example") == "ada@xn--bcher-kva.example"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_metadata_are_ascii_and_say_the_same(text: str) -> None:
    carried = metadata(text, of="name")
    assert carried.isascii()
    assert len(carried) <= METADATA_BYTES["name"]
    assert text.strip(" ").startswith(unquote(carried).strip(" "))
    if len(text) < 60:
        assert unquote(carried) == text.strip(" ")


def test_all_metadata_together_are_within_what_a_bucket_keeps() -> None:
    carried = {name: metadata("\U0001f600" * 300, of=name) for name in METADATA_BYTES}
    names = sum(map(len, [*carried, "snapshot-processor", "booth"]))
    assert names + sum(map(len, carried.values())) <= 2048
    assert metadata("Ada & Ben 100%", of="name") == "Ada & Ben 100%25"
