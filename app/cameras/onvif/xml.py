"""XML from devices, read within limits: no DTD and so no entities of its own, few elements, not deep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MOST_ELEMENTS = 20_000
"""A recorder with 64 channels describes its profiles in some ten thousand."""
DEEPEST = 40
PIECE = 16_384
"""Bytes that are read at once."""
LONGEST_TAG = 32_768


class BadXML(ValueError):
    """This is no XML that a device should send."""


@dataclass(slots=True)
class Element:
    """An element with what is in it, found by local names: devices differ in their prefixes."""

    namespace: str
    name: str
    """Without namespace and prefix."""
    attributes: dict[str, str]
    """By local name."""
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list, repr=False)

    @property
    def text(self) -> str:
        """What stands in it, without its children's and without blanks around it."""
        return "".join(self.pieces).strip()

    def all(self, *path: str) -> Iterator[Element]:
        """Every descendant at this path, each step a child."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.all(*path[1:])

    def first(self, *path: str) -> Element | None:
        """The first at this path."""
        return next(self.all(*path), None)

    def text_of(self, *path: str) -> str:
        """The text of the first at this path; empty when there is none."""
        found = self.first(*path)
        return found.text if found is not None else ""

    def within(self, name: str) -> Iterator[Element]:
        """Every descendant of this name, at any depth."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.within(name)


def parse(data: bytes) -> Element:
    """The root element. Raises `BadXML`."""
    reader = _Reader()
    try:
        return reader.read(data)
    except (expat.ExpatError, LookupError, ValueError) as error:  # LookupError: an encoding that nobody knows
        raise BadXML(str(error)) from None


class _Reader:
    def __init__(self) -> None:
        self._open = [Element("", "", {})]
        self._count = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_dtd
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda _name: self._open.pop()
        parser.CharacterDataHandler = lambda text: self._open[-1].pieces.append(text)
        self._parser = parser

    def read(self, data: bytes) -> Element:
        root = self._open[0]
        for begin in range(0, len(data), PIECE):
            self._parser.Parse(data[begin : begin + PIECE], False)
            # Of a tag with all its attributes, expat makes one call: it would hold the interpreter meanwhile.
            if begin - self._parser.CurrentByteIndex > LONGEST_TAG:
                raise BadXML("a tag that is too long")
        self._parser.Parse(b"", True)
        return root.children[0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) > DEEPEST:
            raise BadXML("too many elements")
        namespace, _, local = name.rpartition(" ")
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        element = Element(namespace, local, plain)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _refuse_dtd(self, *_: object) -> None:
        raise BadXML("a document type")
