"""Events as rows of a table in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from pydantic import Field, field_validator

from app.messages import Inspection
from app.publishers import PublisherContext, PublishError, PublishUnavailable
from app.publishers.results import CHANGING, COLUMNS, REFUSED_S, Row, row_of
from pylib.postgres import CODES as CODES
from pylib.postgres import PostgresFailure, Session, quoted
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.threads import ManagedThread
from pylib.settings.credentials import Secret
from pylib.settings.fields import Section

log = structlog.get_logger(__name__)

LONGEST_NAME = 63
"""Bytes of a name (PostgreSQL, "Identifiers and Key Words")."""
CLEAN_EVERY_S = 3600.0
AT_ONCE = 1000
"""Old rows that are deleted in one transaction."""
PARTS = 20
"""How many such transactions there are at a time."""

_JSON = frozenset(column.name for column in COLUMNS if column.postgres.startswith("jsonb"))


class PostgresSettings(Section):
    """A table in PostgreSQL that has a row for each event."""

    url: Secret = Field(description="The database: `postgresql://user:password@host:5432/name`, as libpq takes it.")
    table: str = Field(
        default="snapshots",
        pattern=r"^[\w-]+(\.[\w-]+)?$",
        description="The table, with its schema where that is not the user's first: `home.snapshots`.",
    )
    make_table: bool = Field(default=True, description="Make the table and its indexes when it is missing.")
    keep_days: float = Field(
        default=0, ge=0, le=36_500, description="Days after which a row may go; 0 to keep all. Of new rows."
    )
    timeout: float = Field(default=20, ge=1, le=120, description="Seconds that a connection or a statement may take.")

    @field_validator("table")
    @classmethod
    def _names_are_whole(cls, table: str) -> str:
        # Counted in the pattern, as `{1,63}`, it would be compiled into 12 MB.
        if any(len(name.encode()) > LONGEST_NAME for name in table.split(".")):
            raise ValueError(f"must have names of at most {LONGEST_NAME} bytes: PostgreSQL cuts longer ones")
        return table


class PostgresTable:
    """One table."""

    title = "a table in PostgreSQL"
    notifies = False
    follows_edits: Literal[True] = True
    Settings = PostgresSettings

    def __init__(
        self,
        settings: PostgresSettings,
        context: PublisherContext,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Load psycopg; connects to nothing. Raises `PublishError`."""
        self.name = context.name
        self.abandon_after: Mapping[str, float] = {"row_refused": REFUSED_S}
        self._settings = settings
        self._context = context
        self._now = now
        self._ready = not settings.make_table
        try:
            self._session = self._new_session("snapshot-processor")
            # Of its own: deleting many rows takes time, and events do not wait for it.
            self._cleaning = self._new_session("snapshot-processor (old rows)")
        except PostgresFailure as failure:
            raise PublishError(failure.code, failure.sentence) from None
        cleaner = Periodic(f"old rows of {context.name}", self.clean, Every(CLEAN_EVERY_S))
        self.threads: Sequence[ManagedThread] = [cleaner] if settings.keep_days else []
        self._insert = insert(settings.table)

    def publish(self, inspection: Inspection) -> None:
        """Write the row, or what was seen or said since into the row that is there. Raises `PublishUnavailable`."""
        self._make_ready()
        if inspection.review.deleted:
            self._run(f"DELETE FROM {self._table} WHERE id = %s", [inspection.id])
            return
        row = row_of(inspection, self._context, keep_days=self._settings.keep_days, now=self._now)
        self._run(self._insert, values(row))

    def check(self) -> str:
        """Whether rows could be written. Raises `PublishError`."""
        found = self._run("SELECT to_regclass(%s), pg_is_in_recovery()", [self._table])
        self._session.close()
        (exists, reads_only), *_ = found
        if reads_only:
            raise PublishUnavailable("read_only", "The database only reads now, as a standby does.")
        where = f"table {self._settings.table} at {self._session.host}"
        if exists is not None:
            self._look()
            return where
        if not self._settings.make_table:
            raise self._missing()
        return f"{where}, which will be made"

    def clean(self) -> None:
        """Delete what may go, a part at a time, and leave the rest of much to the next time."""
        oldest = f"SELECT id FROM {self._table} WHERE expires < %s ORDER BY expires LIMIT {AT_ONCE}"
        statement = f"DELETE FROM {self._table} WHERE id IN ({oldest}) RETURNING 1"
        deleted = 0
        try:
            for _ in range(PARTS):
                gone = len(self._cleaning.run(statement, [self._now()]))
                deleted += gone
                if gone < AT_ONCE:
                    break
        except PostgresFailure as failure:
            if failure.code != "table_missing":  # there was no event yet
                log.warning("old rows are not deleted now", target=self.name, reason=failure.sentence)
        finally:
            self._cleaning.close()
        if deleted:
            log.info("old rows deleted", target=self.name, rows=deleted)

    @property
    def _table(self) -> str:
        return quoted(self._settings.table)

    def _new_session(self, name: str) -> Session:
        settings = self._settings
        return Session(settings.url.get_secret_value(), timeout=settings.timeout, name=name)

    def _make_ready(self) -> None:
        """Make the table, unless it is there: `IF NOT EXISTS` would need the right to make some, and double indexes."""
        if not self._ready:
            if not self._exists():
                try:
                    self._run(definition(self._settings.table))
                except PublishUnavailable:
                    if not self._exists():  # else another outlet, or service, has made it this very moment
                        raise
                else:
                    log.info("table made", target=self.name, table=self._settings.table)
            self._ready = True

    def _exists(self) -> bool:
        ((found,),) = self._run("SELECT to_regclass(%s)", [self._table])
        return found is not None

    def _look(self) -> None:
        names = ", ".join(column.name for column in COLUMNS)
        self._run(f"SELECT {names} FROM {self._table} LIMIT 0")

    def _run(self, statement: str, given: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        try:
            return self._session.run(statement, given)
        except PostgresFailure as failure:
            if failure.code == "table_missing":
                self._ready = not self._settings.make_table
                raise self._missing() from None
            outage = failure.code != "row_refused"
            raise PublishUnavailable(failure.code, failure.sentence, outage=outage) from None

    def _missing(self) -> PublishUnavailable:
        sentence = f"There is no table {self._settings.table} at {self._session.host}: make it, or set `make_table`."
        return PublishUnavailable("table_missing", sentence)


def definition(table: str) -> str:
    """The statements that make the table and its indexes."""
    name = quoted(table)
    columns = ",\n".join(f"    {column.name} {column.postgres}" for column in COLUMNS)
    return (
        f"CREATE TABLE {name} (\n{columns}\n);\n"
        f"CREATE INDEX ON {name} (camera, time);\n"
        f"CREATE INDEX ON {name} (time);\n"
        f"CREATE INDEX ON {name} (expires) WHERE expires IS NOT NULL;\n"
    )


def insert(table: str) -> str:
    """The statement that writes a row once; where it is there, only what is seen and said of it may change."""
    names = ", ".join(column.name for column in COLUMNS)
    places = ", ".join("%s::jsonb" if column.name in _JSON else "%s" for column in COLUMNS)
    old, new = (", ".join(f"{source}.{name}" for name in CHANGING) for source in ("was", "excluded"))
    return (
        f"INSERT INTO {quoted(table)} AS was ({names}) VALUES ({places}) ON CONFLICT (id) DO UPDATE "
        f"SET ({', '.join(CHANGING)}) = ROW ({new}) WHERE ({old}) IS DISTINCT FROM ({new})"
    )


def values(row: Row) -> list[object]:
    """A row as the values of `insert`."""
    return [json.dumps(row[column.name]) if column.name in _JSON else row[column.name] for column in COLUMNS]
