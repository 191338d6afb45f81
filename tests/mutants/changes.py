"""Small random changes to a source file, read off its syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

LOGGERS = ("log", "_log", "logger", "_logger")
WORDS_FOR_PEOPLE = ("description", "title", "examples", "help", "summary")
"""Keyword arguments that only say something; nothing is changed in them."""

SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Return, ast.Continue, ast.Delete)
NEXT_TO = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">")}


@dataclass(frozen=True)
class Change:
    """Bytes `start` to `end` of a file become `new`."""

    start: int
    end: int
    new: bytes


def changes(source: bytes) -> list[Change]:
    """Every small change that leaves a file that Python can still compile."""
    return [change for change in _Changes(source).below(ast.parse(source)) if _compiles(applied(source, change))]


def applied(source: bytes, change: Change) -> bytes:
    """The file with the change in it."""
    return source[: change.start] + change.new + source[change.end :]


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "changed", "exec")
    except SyntaxError:
        return False
    return True


class _Changes:
    """Walks a tree, past what only people read and what only a type checker does."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._lines = [0, *(match.end() for match in re.finditer(rb"\n", source))]

    def below(self, node: ast.AST) -> Iterator[Change]:
        """The changes of this node and of all in it."""
        yield from self._of(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
                continue
            children = [
                child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST)
            ]
            for one, other in pairwise(children):
                yield from self._swapped(one, other)
            for child in children:
                if not _only_said(child):
                    yield from self.below(child)

    def _of(self, node: ast.AST) -> Iterator[Change]:
        match node:
            case (
                ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Raise() | ast.Return() | ast.Continue()
            ):
                yield self._put(node, b"pass")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                yield self._put(node, b"pass")
            case ast.If(test=test) | ast.IfExp(test=test):
                yield self._put(test, b"(not (" + self._text(test) + b"))")
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in NEXT_TO:
                yield from self._between(left, right, *NEXT_TO[type(op)])
            case ast.BoolOp(op=op, values=[left, right]):
                yield from self._between(left, right, *(("and", "or") if isinstance(op, ast.And) else ("or", "and")))
            case ast.Constant(value=bool() as value):
                yield self._put(node, repr(not value).encode())
            case ast.Constant(value=int() as value) if value <= 2:  # larger ones are limits: one more harms nobody
                yield self._put(node, repr(value + 1).encode())
            case ast.Call(keywords=keywords):
                for keyword in (keyword for keyword in keywords if not _only_said(keyword)):
                    start, end = self._span(keyword)
                    comma = re.compile(rb"\s*,?\s*").match(self._source, end)
                    yield Change(start, comma.end() if comma else end, b"")
            case ast.ExceptHandler(body=[first, *_] as body) if not isinstance(first, ast.Pass):
                if not all(_only_said(statement) for statement in body):
                    yield Change(self._span(first)[0], self._span(body[-1])[1], b"pass")

    def _swapped(self, one: ast.AST, other: ast.AST) -> Iterator[Change]:
        """Two neighbouring statements in the other order, where both do something."""
        if not (isinstance(one, SIMPLE) and isinstance(other, SIMPLE)) or _only_said(one) or _only_said(other):
            return
        if isinstance(one, ast.Assign) and isinstance(other, ast.Assign):
            return  # nearly always two that do not mind
        if all(any(isinstance(part, ast.Call) for part in ast.walk(node)) for node in (one, other)):
            (start, end), (then, last) = self._span(one), self._span(other)
            yield Change(start, last, self._source[then:last] + self._source[end:then] + self._source[start:end])

    def _between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> Iterator[Change]:
        start, end = self._span(left)[1], self._span(right)[0]
        yield Change(start, end, self._source[start:end].replace(old.encode(), new.encode(), 1))

    def _put(self, node: ast.AST, new: bytes) -> Change:
        return Change(*self._span(node), new)

    def _text(self, node: ast.AST) -> bytes:
        start, end = self._span(node)
        return self._source[start:end]

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._lines[node.lineno - 1] + node.col_offset,
            self._lines[node.end_lineno - 1] + node.end_col_offset,
        )


def _only_said(node: ast.AST) -> bool:
    """Whether nothing in here runs for a user: docstrings, log lines, descriptions, Protocols, type checking."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name)))):
            return name in LOGGERS
        case ast.keyword(arg=name):
            return name in WORDS_FOR_PEOPLE
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=bases):
            return any("Protocol" in ast.unparse(base) for base in bases)
    return False
