"""FTP logins, the folder of each, and what each may do there: an authorizer for pyftpdlib."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pyftpdlib.exceptions import AuthenticationFailed

from pylib.errors import Permanent
from pylib.settings.credentials import Secret

# pyftpdlib's letters. Missing everywhere: d (delete, remove a folder) and M (change the mode of a file).
WRITE = "elafmwT"
"""Change folder, list, append, rename, make folders, store, set a file's time."""
READ = "r"


class DuplicateLogin(Permanent):
    """Two accounts have one name."""


@dataclass(frozen=True, slots=True)
class Account:
    """A login."""

    username: str
    password: Secret
    folder: PurePosixPath = field(default_factory=PurePosixPath)
    """Its root, below the upload area; empty for the area itself."""

    @property
    def shared(self) -> bool:
        """Whether its root is the area with everybody's files: it fetches none of them then."""
        return not self.folder.parts


def by_name(accounts: Iterable[Account]) -> dict[str, Account]:
    """The accounts by their names; one without a name or password is left out. Raises `DuplicateLogin`."""
    known: dict[str, Account] = {}
    for account in accounts:
        if not account.username or not account.password.get_secret_value():
            continue
        if account.username in known:
            raise DuplicateLogin("ftp_login", f"two FTP logins are called {account.username!r}: rename one")
        known[account.username] = account
    return known


class Accounts:
    """The accounts, for pyftpdlib. Everything that the client sends is compared in constant time."""

    def __init__(self, accounts: Iterable[Account], *, area: Path) -> None:
        """An account without a name or password is left out. Raises `DuplicateLogin`."""
        self._area = area
        self._accounts = by_name(accounts)

    def __len__(self) -> int:
        return len(self._accounts)

    def __getitem__(self, username: str) -> Account:
        return self._accounts[username]

    @property
    def folders(self) -> list[PurePosixPath]:
        """The folders that these accounts are confined to."""
        return [account.folder for account in self._accounts.values() if not account.shared]

    def validate_authentication(self, username: str, password: str, _handler: object) -> None:
        """Raises pyftpdlib's `AuthenticationFailed`."""
        account = self._accounts.get(username)
        # An unknown name costs the same comparison, so that the time does not reveal which names exist.
        known = account.password.get_secret_value() if account else ""
        if not hmac.compare_digest(_digest(known), _digest(password)) or account is None:
            raise AuthenticationFailed("Authentication failed.")

    def get_home_dir(self, username: str) -> str:
        """The account's root on disk."""
        return str(self._area / self._accounts[username].folder)

    def has_user(self, username: str) -> bool:
        return username in self._accounts

    def get_perms(self, username: str) -> str:
        """What it may do, in pyftpdlib's letters."""
        return WRITE if self._accounts[username].shared else WRITE + READ

    def has_perm(self, username: str, perm: str, _path: str | None = None) -> bool:
        return perm in self.get_perms(username)

    def get_msg_login(self, _username: str) -> str:
        return "Logged in."

    def get_msg_quit(self, _username: str) -> str:
        return "Goodbye."

    def impersonate_user(self, _username: str, _password: str) -> None:
        """Nothing: logins are no users of the system."""

    def terminate_impersonation(self, _username: str) -> None:
        """As above."""


def _digest(text: str) -> bytes:
    """Of one length whatever the text, or the comparison's time would reveal the password's length."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
