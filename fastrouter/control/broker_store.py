"""A broker's rows in the database, and its events until they are announced.

::

    broker_state    the store's name (16 bytes), how many changes and events there have been
    broker_row      account, positions, holdings, limits: by name and key, JSON
    broker_order    every order, JSON; whether it is open, when it last changed (ns)
    broker_trade    every fill, JSON
    broker_event    number, kind, time (ns), payload: not known to be announced

Changes are numbered, and each is written after the one before or not at all: when one is
lost, so are all that were made on top of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from fastrouter.broker import Change, Row
from fastrouter.errors import StoreError

__all__ = ["SCHEMA", "BrokerStore", "Event", "Kept"]

Values = tuple[Any, ...]

MOST_ROWS = 500  # of a statement: SQLite takes so many values in one
MINUTE = 60_000_000_000  # ns; ended orders are remembered for at least that

SCHEMA = (
    """
    CREATE TABLE broker_state (name BLOB, changes INTEGER, events INTEGER);
    INSERT INTO broker_state VALUES (randomblob(16), 0, 0);
    CREATE TABLE broker_row (
        account TEXT, name TEXT, key TEXT, value BLOB,
        PRIMARY KEY (account, name, key)) WITHOUT ROWID;
    CREATE TABLE broker_order (
        account TEXT, id TEXT, number INTEGER, open INTEGER, moved INTEGER, value BLOB,
        PRIMARY KEY (account, id)) WITHOUT ROWID;
    CREATE INDEX broker_order_moved ON broker_order (account, open, moved, number);
    CREATE TABLE broker_trade (
        account TEXT, id TEXT, time INTEGER, value BLOB,
        PRIMARY KEY (account, id)) WITHOUT ROWID;
    CREATE TABLE broker_event (
        number INTEGER PRIMARY KEY, kind TEXT, time INTEGER, payload BLOB)
    """,
)

#: the state's tables that are kept as `broker_row`
TABLES = ("account", "positions", "holdings", "limits")

ENDED = """
    SELECT * FROM (
        SELECT value, moved, number FROM broker_order WHERE account = :account AND open = 0
        ORDER BY moved DESC, number DESC LIMIT :most)
    UNION SELECT value, moved, number FROM broker_order
        WHERE account = :account AND open = 0 AND moved > :since
    ORDER BY moved, number
"""


class Event(NamedTuple):
    """One that is to be announced."""

    number: int
    kind: str
    time: int  # ns
    payload: dict[str, Any]


class Kept(NamedTuple):
    """What the store knows."""

    name: bytes
    #: how many changes and events there have been
    changes: int
    events: int
    #: what `fastrouter.broker.restore` takes; its account is empty when there is none of that id
    state: dict[str, Any]


class BrokerStore:
    """Reads and writes one account's broker; each method is a `Work` once a connection is given."""

    def __init__(self, account: str) -> None:
        self.account = account

    # -------------------------------------------------------------- write

    def write(
        self, connection: sqlite3.Connection, number: int, change: Change, time: int, done: int
    ) -> int:
        """Keep the change with this number; the number of its first event.

        Events up to `done` are let go. Raises StoreError when the change before it is not there.
        """
        row = connection.execute(
            "UPDATE broker_state SET changes = ?, events = events + ? "
            "WHERE changes = ? RETURNING events",
            (number, len(change.events), number - 1),
        ).fetchone()
        if row is None:
            raise StoreError("a change before it could not be kept")
        self.prune(connection, done)
        for table, rows in self._tables(change.rows).items():
            _insert(connection, table, rows)
        first = int(row[0]) - len(change.events) + 1
        events = [
            (place, kind, time, orjson.dumps(payload))
            for place, (kind, payload) in enumerate(change.events, first)
        ]
        _insert(connection, "broker_event", events)
        self._drop(connection, change.rows)
        return first

    def _tables(self, rows: Iterable[Row]) -> dict[str, list[Values]]:
        """What is to be put, by our tables."""
        found: dict[str, list[Values]] = {}
        for row in rows:
            if row.state is not None:
                table, make = MAKE.get(row.table, ("broker_row", _row))
                found.setdefault(table, []).append((self.account, *make(row)))
        return found

    def _drop(self, connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
        """Those that are no more; orders and trades stay for ever."""
        for row in rows:
            if row.state is None:
                connection.execute(
                    "DELETE FROM broker_row WHERE account = ? AND name = ? AND key = ?",
                    (self.account, row.table, row.key),
                )

    def prune(self, connection: sqlite3.Connection, done: int) -> None:
        """Let go of the events up to `done`: they are announced."""
        connection.execute("DELETE FROM broker_event WHERE number <= ?", (done,))

    # -------------------------------------------------------------- read

    def load(self, connection: sqlite3.Connection, most: int, now: int) -> Kept:
        """All of it, of the ended orders the last `most`, and those of the last minute.

        It writes, so that it fails when the file takes nothing. Raises StoreError for rows that
        are none.
        """
        connection.execute("UPDATE broker_state SET changes = changes")
        name, changes, events = connection.execute("SELECT * FROM broker_state").fetchone()
        state: dict[str, Any] = {table: {} for table in TABLES}
        for table, key, value in connection.execute(
            "SELECT name, key, value FROM broker_row WHERE account = ?", (self.account,)
        ):
            state[table][key] = _loaded(value)
        state["orders"] = {one["id"]: one for one in self._orders(connection, most, now)}
        return Kept(name, changes, events, state)

    def _orders(
        self, connection: sqlite3.Connection, most: int, now: int
    ) -> Iterable[dict[str, Any]]:
        """In the order of their ends, then the open ones."""
        terms = {"account": self.account, "most": most, "since": now - MINUTE}
        for value, _, _ in connection.execute(ENDED, terms):
            yield _loaded(value)
        for (value,) in connection.execute(
            "SELECT value FROM broker_order WHERE account = ? AND open = 1 ORDER BY number",
            (self.account,),
        ):
            yield _loaded(value)

    def events(self, connection: sqlite3.Connection) -> list[Event]:
        """Those that are not known to be announced, in order."""
        rows = connection.execute("SELECT * FROM broker_event ORDER BY number")
        return [Event(number, kind, time, _loaded(value)) for number, kind, time, value in rows]


def _loaded(value: bytes) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise StoreError(f"the store is damaged: {error}") from None
    return loaded


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Values]) -> None:
    """A step for many of them: for each, the interpreter's lock is let go and taken again."""
    for start in range(0, len(rows), MOST_ROWS):
        part = rows[start : start + MOST_ROWS]
        marks = ", ".join(["?"] * len(part[0]))
        values = ", ".join([f"({marks})"] * len(part))
        connection.execute(
            f"INSERT OR REPLACE INTO {table} VALUES {values}", [one for row in part for one in row]
        )


def _row(row: Row) -> Values:
    return row.table, row.key, orjson.dumps(row.values)


def _order(row: Row) -> Values:
    order = row.state
    return order.id, order.number, order.is_open, order.updated_at, orjson.dumps(row.values)


def _trade(row: Row) -> Values:
    return row.key, row.state["time"], orjson.dumps(row.values)


#: a row's table -> ours, and the values of its columns after the account
MAKE: dict[str, tuple[str, Callable[[Row], Values]]] = {
    "orders": ("broker_order", _order),
    "trades": ("broker_trade", _trade),
}
