"""The index's database: its tables, made and brought up to date, and one failure for whatever goes wrong."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from app.index.schema import SCHEMA
from pylib.errors import Transient
from pylib.postgres import CODES as POSTGRES_CODES
from pylib.postgres import PostgresFailure, Session
from pylib.postgres.session import Rows, Run, Values

T = TypeVar("T")

CODES = POSTGRES_CODES | {
    "index_newer": (
        "The shared index is of a newer release.",
        "update this replica; its events wait until then",
    ),
    "name_taken": (
        "Another replica has this `DEVICE_NAME` in the shared index.",
        "give this one a name of its own",
    ),
    "table_missing": ("The tables of the shared index are not there.", "nothing: the service makes them"),
    "not_allowed": (
        "This user may not do that in the index's database.",
        "grant it what docs/many-machines.md lists",
    ),
}
"""Code -> what happened, and what to do about it."""

PAUSE_S = 2.0
"""Seconds for which nobody asks again after a failure: pages do not wait one after the other."""
NEWEST = 2**63 - 1
MAKING = 0x736E6170
"""Number of the lock under which one replica at a time looks after the tables."""


class IndexUnavailable(Transient):
    """The shared index cannot be asked now."""


class IndexDatabase:
    """Sessions with one database, which share what is known of it. From any thread."""

    def __init__(
        self,
        url: str,
        *,
        device_name: str,
        journal: Callable[[], str] = lambda: "",
        timeout: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load psycopg; connects to nothing. Raises `IndexUnavailable`.

        `device_name`: what this replica is called; `journal`: the identity of its journal, asked when it is needed,
        or empty where nothing is written; `timeout`: seconds for a connection, and for a statement.
        """
        self.device_name = device_name
        self._journal = journal
        self.owner = -1
        """The number of this replica, once the tables were looked after."""
        self.owners: dict[int, str] = {}
        """The others, by number."""
        self.identity = ""
        """Which index it is."""
        self.waiting: list[str] = []
        """For which replicas changes wait that they would have done by now, and how many."""
        self._edits = 0
        self.in_turn = threading.Lock()
        """Held from a look into the journal until the index has what was seen: nothing older is written after it."""
        self._clock = clock
        self._failure: PostgresFailure | None = None
        self._again_at = 0.0
        with self.failing_clearly():
            # Pages do not wait for what is written.
            self._reading = Session(url, timeout=timeout, name="snapshot-processor (album)")
            self._writing = Session(url, timeout=timeout, name="snapshot-processor (index)")
        self.host = self._reading.host

    @property
    def away(self) -> str:
        """Why the index could not be asked last; empty when it could."""
        return self._failure.sentence if self._failure else ""

    def read(self, statement: str, values: Values | None = None) -> Rows:
        """The rows of a statement that changes nothing. Raises `IndexUnavailable`."""
        with self.failing_clearly():
            self._prepare()
            return self._reading.run(statement, values)

    def write(self, work: Callable[[Run], T]) -> T:
        """What `work` returns, which is carried out as one transaction. Raises `IndexUnavailable`."""
        with self.failing_clearly():
            self._prepare()
            return self._writing.transact(work)

    def _prepare(self) -> None:
        """Make the tables or bring them up to date, unless that was done. Raises `PostgresFailure`."""
        if self.owner < 0:
            self.identity, self.owner = self._writing.transact(self._prepared)
            self._learn_owners()

    def ready(self) -> None:
        """Have `owner` and `identity` be known. Raises `IndexUnavailable`."""
        with self.failing_clearly():
            self._prepare()

    def refuse_another(self, version: int, identity: str) -> None:
        """Raise `PostgresFailure` where this is not the index that was prepared: somebody has made it anew, or has
        brought it to a newer release meanwhile."""
        _refuse_newer(version)
        if identity != self.identity:
            raise PostgresFailure("table_missing", "The shared index was made anew.")

    def learn_what_waits(self) -> None:
        """Learn for whom changes wait since this was asked last. Raises `IndexUnavailable`."""
        with self.failing_clearly():
            self._prepare()
            self.waiting = _waiting(self._reading.run, self._edits)
            ((self._edits,),) = self._reading.run("SELECT coalesce(max(number), 0) FROM index_edits")

    def learn_owners(self) -> None:
        """Learn who the other replicas are. Raises `IndexUnavailable`."""
        with self.failing_clearly():
            self._learn_owners()

    def _learn_owners(self) -> None:
        rows = self._reading.run("SELECT number, name FROM index_owners")
        self.owners = {number: name for number, name in rows if number != self.owner}

    def look(self) -> str:
        """What `check` says: which tables are there, changing nothing. Raises `IndexUnavailable`."""
        with self.failing_clearly():
            (found,) = self._reading.run(
                "SELECT to_regclass('index_versions'), pg_is_in_recovery(), "
                "has_schema_privilege(current_schema(), 'CREATE'), "
                "has_table_privilege(to_regclass('index_events'), 'SELECT, INSERT, UPDATE, DELETE')"
            )
            exists, reads_only, may_make, may_write = found
            if reads_only:
                raise PostgresFailure("read_only", "The database only reads now, as a standby does.")
            if exists is None:
                if not may_make:
                    raise PostgresFailure("not_allowed", "This user may not make tables in the index's database.")
                return f"at {self.host}, whose tables will be made"
            if not may_write:
                raise PostgresFailure("not_allowed", "This user may not write into the index's tables.")
            ((version, events, owners),) = self._reading.run(
                "SELECT version, (SELECT count(*) FROM index_events WHERE shown), (SELECT count(*) FROM index_owners) "
                "FROM index_versions"
            )
            _refuse_newer(version)
            waiting = _waiting(self._reading.run, NEWEST)
        told = f"version {version} at {self.host}, {events:,} events of {owners} replica{'' if owners == 1 else 's'}"
        return "; ".join([told, *waiting])

    def close(self) -> None:
        """End the connections; the next statement makes others."""
        self._reading.close()
        self._writing.close()

    @contextmanager
    def failing_clearly(self) -> Iterator[None]:
        """Raises `IndexUnavailable`; at once while the server could not be reached a moment ago."""
        if self._failure is not None and self._clock() < self._again_at:
            raise IndexUnavailable(self._failure.code, self._failure.sentence)
        try:
            yield
        except PostgresFailure as failure:
            if failure.code in ("table_missing", "index_newer"):
                self.owner = -1  # made anew, as after the database was, or looked at again
            if failure.code != "row_refused":
                self._failure, self._again_at = failure, self._clock() + PAUSE_S
            raise IndexUnavailable(failure.code, failure.sentence) from None
        self._failure = None

    def _prepared(self, run: Run) -> tuple[str, int]:
        run("SELECT pg_advisory_xact_lock(%s)", [MAKING])
        version, identity = 0, uuid.uuid4().hex
        if run("SELECT to_regclass('index_versions')", None) != [(None,)]:
            ((version, identity),) = run("SELECT version, identity FROM index_versions", None)
        _refuse_newer(version)
        for script in SCHEMA[version:]:
            run(script, None)
        if not version:
            run("INSERT INTO index_versions (version, identity) VALUES (%s, %s)", [len(SCHEMA), identity])
        elif version < len(SCHEMA):
            run("UPDATE index_versions SET version = %s", [len(SCHEMA)])
        return identity, self._number(run, self._journal())

    def _number(self, run: Run, journal: str) -> int:
        """The number of this replica; a new one where it has none."""
        for number, known in run("SELECT number, journal FROM index_owners WHERE name = %s", [self.device_name]):
            if journal and known and journal != known:
                sentence = (
                    f"Another replica is called {self.device_name} in the shared index: choose another DEVICE_NAME."
                )
                raise PostgresFailure("name_taken", sentence)
            run("UPDATE index_owners SET journal = %s WHERE number = %s AND journal = ''", [journal, number])
            return int(number)
        ((number,),) = run(
            "INSERT INTO index_owners SELECT coalesce(max(number) + 1, 0), %s, %s FROM index_owners RETURNING number",
            [self.device_name, journal],
        )
        return int(number)


def _waiting(run: Run, last: int) -> list[str]:
    """What waits for whom, of the changes up to this one."""
    rows = run(
        "SELECT name, count(*) FROM index_edits JOIN index_owners ON owner = index_owners.number "
        "WHERE index_edits.number <= %s GROUP BY name ORDER BY name",
        [last],
    )
    return [
        f"{count:,} change{'' if count == 1 else 's'} of events of {name} wait{'s' if count == 1 else ''} for it:"
        " start it, or see docs/many-machines.md if nothing is called so any more"
        for name, count in rows
    ]


def _refuse_newer(version: int) -> None:
    if version > len(SCHEMA):
        sentence = f"The shared index is of a newer release (version {version}, here {len(SCHEMA)}): update this one."
        raise PostgresFailure("index_newer", sentence)
