"""Where secrets come from: the environment, then secret files, then a vault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import SecretStr

from pylib.errors import Failure, Permanent, Transient

Secret = SecretStr
"""A value that no repr, log line or traceback shows; `get_secret_value()` is the one way to it."""

RUN_SECRETS = Path("/run/secrets")
"""Where Docker and Podman mount the secrets of a container."""

MAX_FILE_BYTES = 65_536


class CredentialError(Failure):
    """A secret could not be read."""


class CredentialUnavailable(CredentialError, Transient):
    """Not now: the vault does not answer, or not yet."""


class CredentialRejected(CredentialError, Permanent):
    """Not until someone changes something: a file, the token, the vault's name."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value and its source."""

    value: str = field(repr=False)
    where: str
    """For error texts: `environment: WEB_PORT`."""


class Environment:
    """Values by name from variables, then secret files, then a vault; what is empty counts as not set.

    `NAME_FILE` names a file that holds the value of `NAME`; `secrets` is a directory whose files are called
    `NAME` or `name`. Their content is stripped of surrounding white space, and read only when asked for.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        *,
        secrets: Path = RUN_SECRETS,
        vault: Mapping[str, str] | None = None,
        vault_name: str = "1Password",
    ) -> None:
        self.variables = variables
        self.secrets = secrets
        self.vault = vault or {}
        self._vault_name = vault_name

    def with_vault(self, values: Mapping[str, str], *, name: str) -> Environment:
        """The same with a vault's values behind everything else."""
        return Environment(self.variables, secrets=self.secrets, vault=values, vault_name=name)

    def get(self, *names: str) -> Found | None:
        """The value of the first source that has one of these names, the first name first.

        Raises `CredentialRejected` for a secret file that cannot be read.
        """
        for source in (self._variable, self._named_file, self._mounted_file, self._vaulted):
            for name in names:
                found = source(name)
                if found is not None and found.value.strip():
                    return found
        return None

    def names(self) -> set[str]:
        """Every name that some source may have a value for, in capitals for mounted files."""
        named = {name.removesuffix("_FILE") for name in self.variables if name.endswith("_FILE")}
        return named | set(self.variables) | set(self.vault) | {name.upper() for name in self._mounted}

    def _variable(self, name: str) -> Found | None:
        value = self.variables.get(name)
        return None if value is None else Found(value, f"environment: {name}")

    def _named_file(self, name: str) -> Found | None:
        path = self.variables.get(f"{name}_FILE", "").strip()
        where = f"environment: {name}_FILE"
        # The path is not shown: it may be the secret itself, given under the wrong name.
        return Found(_read(Path(path), f"{where}: the file that it names"), where) if path else None

    def _mounted_file(self, name: str) -> Found | None:
        path = self._mounted.get(name) or self._mounted.get(name.lower())
        return Found(_read(path, f"{path}:"), str(path)) if path else None

    def _vaulted(self, name: str) -> Found | None:
        value = self.vault.get(name)
        return None if value is None else Found(value, f"{self._vault_name}: {name}")

    @cached_property
    def _mounted(self) -> dict[str, Path]:
        try:
            return {path.name: path for path in self.secrets.iterdir() if path.is_file()}
        except OSError:
            return {}


def _read(path: Path, where: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CredentialRejected("unreadable", f"{where} cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise CredentialRejected("too_large", f"{where} is larger than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise CredentialRejected("not_text", f"{where} is not UTF-8 text") from None
