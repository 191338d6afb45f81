"""Signed links: exactly one picture or one camera's button, until they expire."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.web.links import GUEST, KINDS, LATEST, PICTURES, SNOOZE, Links, is_link
from tests.fakes.clock import Clock

KEY = b"k" * 32
PATH = "/api/snapshots/s1/image"


def links(key: bytes = KEY) -> Links:
    return Links(key, clock=Clock())


def path_of(name: str, kind: str) -> str:
    pages = {SNOOZE: f"/snooze/{name}", GUEST: f"/booth/guests/{name}", LATEST: f"/api/cameras/{name}/{LATEST}"}
    return pages.get(kind, f"/api/snapshots/{name}/{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_opens_what_it_leads_to_until_it_expires(kind: str) -> None:
    clock = Clock()
    ours = Links(lambda: KEY, clock=clock)
    query = ours.sign("s1", kind, seconds=3600)
    clock.now += 3599
    assert ours.permits(path_of("s1", kind), query)
    clock.now += 1
    assert not ours.permits(path_of("s1", kind), query)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
@example(160, 320)
def test_a_link_to_a_thumbnail_of_one_width_opens_no_other(width: int, other: int) -> None:
    path = path_of("s1", "thumbnail")
    usual, ours = links().sign("s1", "thumbnail", seconds=60), links().sign("s1", "thumbnail", seconds=60, width=width)
    assert links().permits(path, ours)
    assert links().permits(path, ours.replace(f"width={width}&", f"width={other}&")) is (width == other)
    assert not links().permits(path, ours.replace(f"width={width}&", ""))
    assert not links().permits(path, f"{ours}&width={other}")
    assert not links().permits(path, f"{usual}&width={other}")
    assert not links().permits(path_of("s1", "preview"), ours)


def test_no_other_picture_has_a_width() -> None:
    with pytest.raises(ValueError, match="image"):
        links().sign("s1", "image", seconds=60, width=160)


def test_the_query_is_an_expiry_and_a_signature() -> None:
    query = parse_qs(links().sign("s1", "image", seconds=60))
    assert query["expires"] == ["1000060"]
    assert set(query) == {"expires", "signature"}


@given(st.text(min_size=1), st.text(min_size=1), st.sampled_from(KINDS), st.sampled_from(KINDS))
@example("s1", "s1", "image", "thumbnail")
@example("s1", "s2", "image", "image")
@example("image", "image", "snooze", "image")
def test_it_opens_no_other(id: str, other: str, kind: str, other_kind: str) -> None:
    assume("/" not in id + other)
    query = links().sign(id, kind, seconds=60)
    assert links().permits(path_of(id, kind), query)
    opens = links().permits(path_of(other, other_kind), query)
    assert opens is ((id, kind) == (other, other_kind))


@given(st.integers(min_value=0), st.characters(exclude_categories=["Cs"]))
def test_changing_one_character_spoils_it(place: int, character: str) -> None:
    query = links().sign("s1", "image", seconds=60)
    place %= len(query)
    changed = query[:place] + character + query[place + 1 :]
    # An escape or a further parameter may say the same again: then it has to be the same that was signed.
    same = parse_qs(changed, keep_blank_values=True) == parse_qs(query)
    assert links().permits(PATH, changed) is same


@given(st.integers(min_value=0, max_value=10**13))
def test_nobody_prolongs_a_link(expires: int) -> None:
    query = links().sign("s1", "image", seconds=60)
    changed = f"expires={expires}&signature={query.partition('signature=')[2]}"
    assert links().permits(PATH, changed) is (changed == query)


@given(st.text(), st.text())
def test_what_somebody_made_up_opens_nothing(path: str, query: str) -> None:
    assert not links().permits(path, query)
    assert not links().permits(PATH, query)
    assert not links().permits(PATH, f"expires=9999999&signature={query}")
    assert not links().permits(PATH, f"expires={query}&signature={'0' * 64}")


def test_what_is_said_twice_is_said_not_at_all() -> None:
    query = links().sign("s1", "image", seconds=60)
    assert not links().permits(PATH, f"{query}&expires=9999999")
    assert not links().permits(PATH, f"expires=9999999&{query}")
    assert not links().permits(PATH, "&".join([query] * 20))
    assert links().permits(PATH, f"{query}&fbclid=x"), "messengers add what they like"


def test_another_key_ends_it() -> None:
    assert not links(b"j" * 32).permits(PATH, links().sign("s1", "image", seconds=60))


def test_only_pictures_are_signed_and_only_for_a_time() -> None:
    for kind, seconds in (("", 60), ("delete", 60), ("image", 0), ("image", -1)):
        with pytest.raises(ValueError, match="no link"):
            links().sign("s1", kind, seconds=seconds)


def test_a_button_is_pressed_by_its_link_and_nothing_else_is_changed_by_one() -> None:
    query = links().sign("front-door", SNOOZE, seconds=60)
    assert links().permits("/snooze/front-door", query, method="POST")
    assert not links().permits("/snooze/front-door", "", method="POST")
    assert not links().permits("/snooze/front-door", query, method="DELETE")
    for kind in PICTURES:
        picture = links().sign("s1", kind, seconds=60)
        assert links().permits(path_of("s1", kind), picture, method="HEAD")
        assert not links().permits(path_of("s1", kind), picture, method="POST")


def test_a_link_is_known_as_one_before_it_is_checked() -> None:
    assert is_link(PATH, "expires=1&signature=x")
    assert is_link("/snooze/front-door", "expires=1&signature=x")
    assert not is_link(PATH, "")
    assert not is_link("/", "signature=x")
