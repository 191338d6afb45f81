"""The settings of the shared index."""

from __future__ import annotations

from pydantic import Field

from pylib.settings.credentials import Secret
from pylib.settings.fields import Section


class IndexSettings(Section):
    """The events of all replicas in one PostgreSQL database, from which each shows all of them."""

    url: Secret = Field(
        default=Secret(""),
        description="The database that replicas share: `postgresql://user:password@host:5432/name`. Empty for none.",
    )
