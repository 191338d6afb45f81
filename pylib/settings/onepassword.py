"""1Password Connect: one item of a vault, read once at start."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pylib.settings.credentials import CredentialError, CredentialRejected, CredentialUnavailable, Environment, Secret

if TYPE_CHECKING:
    import requests

HOST, TOKEN, VAULT = "OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_VAULT"
MAX_ANSWER_BYTES = 4_000_000


class OnePassword:
    """Reads one item of a 1Password vault through a Connect server.

    Plain REST (https://developer.1password.com/docs/connect/api-reference) rather than the vendor's SDK:
    three GETs at start do not warrant a second HTTP client, and only this way has every answer a total
    deadline and a size limit.
    """

    def __init__(
        self, host: str, token: Secret, *, vault: str = "", timeout: float = 5.0, patience: float = 30.0
    ) -> None:
        """`vault` is an id or a name; empty for the only vault that the token opens.

        `timeout` bounds one answer; for `patience` seconds a server that is not up yet is asked again.
        """
        self._host = host.rstrip("/")
        self._token = token
        self._vault = vault
        self._timeout = timeout
        self._patience = patience

    @classmethod
    def from_environment(cls, environment: Environment, *, patience: float = 30.0) -> OnePassword | None:
        """The server of `OP_CONNECT_HOST`, `OP_CONNECT_TOKEN` and `OP_VAULT`; None when no host is named.

        Raises `CredentialRejected` when the host is no URL or the token is missing.
        """
        host, token, vault = (environment.get(name) for name in (HOST, TOKEN, VAULT))
        if host is None:
            return None
        if not host.value.strip().startswith(("http://", "https://")):
            raise _rejected("no_url", f"{HOST}: must be a URL such as http://connect:8080")
        if token is None:
            raise _rejected("no_token", f"{TOKEN}: is required when {HOST} is set")
        secret, name = Secret(token.value.strip()), vault.value.strip() if vault else ""
        return cls(host.value.strip(), secret, vault=name, patience=patience)

    def fields(self, title: str) -> dict[str, str]:
        """Label -> value of all fields of the item with this title, whatever section they are in.

        Blocks for at most about `patience` seconds. Raises `CredentialUnavailable` or `CredentialRejected`.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

        retrying = Retrying(
            retry=retry_if_exception_type(CredentialUnavailable),
            stop=stop_after_delay(self._patience),
            wait=wait_exponential(multiplier=0.25, max=5),
            reraise=True,
        )
        return retrying(self._fields, title)

    def _fields(self, title: str) -> dict[str, str]:
        import requests

        with requests.Session() as session:
            session.trust_env = False  # a proxy or .netrc of the host has no business with the token
            session.headers["Accept-Encoding"] = "identity"
            session.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
            vault = self._vault_id(self._list(session, "/v1/vaults"))
            items = self._list(session, f"/v1/vaults/{vault}/items")
            item = self._get(session, f"/v1/vaults/{vault}/items/{self._item_id(items, title)}")
        fields = item.get("fields") if isinstance(item, dict) else None
        return _labelled(fields if isinstance(fields, list) else [], title)

    def _vault_id(self, vaults: list[dict[str, Any]]) -> str:
        names = _listed(vault.get("name") for vault in vaults)
        if not self._vault and len(vaults) != 1:
            raise _rejected("no_vault", f"{VAULT}: is required, the token opens {names}")
        for vault in vaults:
            if not self._vault or self._vault in (vault.get("id"), vault.get("name")):
                return str(vault.get("id"))
        raise _rejected("no_vault", f"{VAULT}: there is no vault {self._vault!r}, the token opens {names}")

    def _item_id(self, items: list[dict[str, Any]], title: str) -> str:
        alive = [item for item in items if item.get("title") == title and item.get("state") != "ARCHIVED"]
        if len(alive) != 1:
            count = f"{len(alive)} items" if alive else "no item"
            raise CredentialRejected("no_item", f"1Password: the vault has {count} {title!r}, there must be one")
        return str(alive[0].get("id"))

    def _list(self, session: requests.Session, path: str) -> list[dict[str, Any]]:
        answer = self._get(session, path)
        if not isinstance(answer, list) or not all(isinstance(entry, dict) for entry in answer):
            raise self._unexpected("an answer that is not Connect's")
        return answer

    def _get(self, session: requests.Session, path: str) -> Any:
        import requests
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        deadline = time.monotonic() + self._timeout
        try:
            with session.get(
                f"{self._host}{path}", timeout=self._timeout, stream=True, allow_redirects=False
            ) as response:
                if response.status_code != 200:
                    raise self._refusal(response.status_code)
                return json.loads(self._body(response, deadline))
        except (requests.RequestException, HTTPError, OSError) as error:
            late = isinstance(error, (requests.Timeout, ReadTimeoutError, TimeoutError))
            problem = f"does not answer within {self._timeout:g} s" if late else "cannot be reached"
            raise CredentialUnavailable("unreachable", f"{self._shown} {problem}") from None
        except ValueError:
            raise self._unexpected("an answer that is not JSON") from None

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        body = b""
        while chunk := response.raw.read1(65_536):  # what has come; others wait for the whole amount
            body += chunk
            if time.monotonic() > deadline:
                raise TimeoutError
            if len(body) > MAX_ANSWER_BYTES:
                raise self._unexpected(f"more than {MAX_ANSWER_BYTES} bytes")
        return body

    def _refusal(self, status: int) -> CredentialError:
        if status in (401, 403):
            return _rejected("token_refused", f"{TOKEN}: {self._shown} refuses it ({status})")
        if status in (429, 500, 502, 503, 504):
            return CredentialUnavailable("busy", f"{self._shown} answers {status}")
        return self._unexpected(f"status {status}")

    def _unexpected(self, what: str) -> CredentialRejected:
        return _rejected("unexpected", f"{HOST}: {self._shown} gives {what}")

    @property
    def _shown(self) -> str:
        scheme, _, rest = self._host.partition("://")
        return f"1Password Connect at {scheme}://{rest.rpartition('@')[2]}"


def _rejected(code: str, detail: str) -> CredentialRejected:
    return CredentialRejected(code, f"environment: {detail}")


def _labelled(fields: list[Any], title: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for entry in fields:
        label, value = (entry.get("label"), entry.get("value")) if isinstance(entry, dict) else (None, None)
        if not isinstance(label, str) or not isinstance(value, str):
            continue
        if values.setdefault(label, value) != value:
            raise CredentialRejected("ambiguous", f"1Password: item {title!r} has two values for {label}")
    return values


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(sorted(repr(str(name)) for name in names)) or "none"
