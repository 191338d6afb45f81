"""Where secrets come from: the environment, secret files, 1Password Connect."""

from pydantic import SecretStr

Secret = SecretStr
"""A value that no repr, log line or traceback shows; `get_secret_value()` is the one way to it."""
