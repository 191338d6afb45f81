"""XML is read within limits, and nothing in it makes more of it."""

from __future__ import annotations

import pytest

from app.cameras.onvif.xml import DEEPEST, LONGEST_TAG, MOST_ELEMENTS, BadXML, parse


def test_elements_are_found_whatever_their_prefixes() -> None:
    root = parse(b'<a:x xmlns:a="urn:a"><b c="1" a:d="2"> one <e/></b><b>two</b></a:x>')
    assert (root.namespace, root.name) == ("urn:a", "x")
    assert [each.text for each in root.all("b")] == ["one", "two"]
    assert (root.children[0].attributes, root.text_of("b", "e"), root.text_of("c")) == ({"c": "1", "d": "2"}, "", "")
    assert [each.name for each in root.within("e")] == ["e"]


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b"<!DOCTYPE x><x/>",
        b"<x>&nbsp;</x>",
        b"<x><y></x>",
        b"",
        b"\x00",
        b'<?xml version="1.0" encoding="nobody-knows"?><x/>',
        b"<x>" * (DEEPEST + 1) + b"</x>" * (DEEPEST + 1),
        b"<x>" + b"<y/>" * MOST_ELEMENTS + b"</x>",
        b"<x " + b" ".join(b"a%d=''" % number for number in range(3 * LONGEST_TAG // 8)) + b"/>",
    ],
    ids=range(11),
)
def test_what_is_odd_or_too_much_is_refused(data: bytes) -> None:
    with pytest.raises(BadXML):
        parse(data)
    assert parse(b"<x>" * DEEPEST + b"</x>" * DEEPEST).name == "x"
    long = b"a" * 9 * LONGEST_TAG
    assert parse(b"<x>" + long + b"<y/></x>").text == long.decode(), "text has no such limit"
