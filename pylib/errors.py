"""Failures, split by whether trying again can help."""


class Failure(Exception):
    """Something that a part of the service could not do, described so that an operator can act on it.

    `code` is a short stable slug (`timeout`, `login_refused`) for metrics and records; `detail` is one
    sentence for people. Neither ever holds a credential.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Transient(Failure):
    """The same attempt may succeed later."""


class Permanent(Failure):
    """The same attempt will fail again: a person has to change something first."""
