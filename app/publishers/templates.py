"""Templates that people write in the configuration: Jinja2 in its sandbox, with an end to what they may put out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from app.publishers import PublishError

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

CODES = {
    "bad_template": (
        "A template of the configuration fails.",
        "correct it; the message says where and why",
    ),
}
"""Code -> what happened, and what to do about it."""
LONGEST = 100_000
"""Characters of a rendered template."""


class Template:
    """A template of one setting. Names that nothing stands behind are errors, not empty."""

    def __init__(self, text: str, where: str) -> None:
        """`where` names the setting in errors: `publishers.phone.text`. Raises `PublishError` (`bad_template`)."""
        from jinja2 import TemplateSyntaxError

        self._where = where
        try:
            self._template = _environment().from_string(text)
        except TemplateSyntaxError as error:
            raise self._failed(f"{error.message} (line {error.lineno})") from None

    def render(self, values: Mapping[str, object]) -> str:
        """The text, without blanks at its ends. Raises `PublishError` (`bad_template`), also beyond its limits."""
        pieces: list[str] = []
        left = LONGEST
        from app.publishers.sandbox import budgeted

        try:
            with budgeted():
                for piece in self._template.generate(values):
                    left -= len(piece)
                    if left < 0:
                        break
                    pieces.append(piece)
        except Exception as error:  # noqa: BLE001 - a template may raise whatever Python can
            raise self._failed(str(error) or type(error).__name__) from None
        if left < 0:
            raise self._failed(f"its text has more than {LONGEST} characters")
        return "".join(pieces).strip()

    def _failed(self, reason: str) -> PublishError:
        return PublishError("bad_template", f"The template {self._where} fails: {reason[:300].rstrip('.')}.")


@cache
def _environment() -> SandboxedEnvironment:
    from app.publishers.sandbox import BoundedEnvironment

    return BoundedEnvironment()
