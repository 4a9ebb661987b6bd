"""What is kept of strategies over a restart."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from fastrouter.control.database import Database

__all__ = ["Record", "Records", "State"]

STEPS = (
    "CREATE TABLE strategies (id TEXT PRIMARY KEY, state TEXT NOT NULL, config TEXT NOT NULL, "
    "restarts INTEGER NOT NULL, last_exit TEXT, changed_at INTEGER NOT NULL) WITHOUT ROWID",
)
SAVE = "INSERT OR REPLACE INTO strategies VALUES (?, ?, ?, ?, ?, ?)"
LOAD = "SELECT id, state, config, restarts, last_exit FROM strategies"


class State(StrEnum):
    """What a strategy shall be."""

    STARTED = "started"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILED = "failed"  # it shall not be started again by itself


class Record(NamedTuple):
    """A strategy's row."""

    state: State = State.STOPPED
    config: Mapping[str, Any] = {}  # what its last start said
    restarts: int = 0  # after crashes, since that start
    last_exit: str | None = None  # in words


class Records:
    """The table of strategies. Made before anything is asked of the database."""

    def __init__(self, database: Database) -> None:
        database.schema("strategies", STEPS)
        self._database = database

    async def load(self) -> dict[str, Record]:
        """All rows, by strategy. Raises StoreError."""
        return await self._database.run(_load)

    async def save(self, strategy_id: str, record: Record, now: int) -> None:
        """Durable when it returns; saved in the order of the calls. Raises StoreError."""
        config = json.dumps(dict(record.config))
        row = (strategy_id, record.state, config, record.restarts, record.last_exit, now)

        def save(connection: sqlite3.Connection) -> None:
            connection.execute(SAVE, row)

        await self._database.run(save)


def _load(connection: sqlite3.Connection) -> dict[str, Record]:
    return {
        name: Record(State(state), json.loads(config), restarts, last_exit)
        for name, state, config, restarts, last_exit in connection.execute(LOAD)
    }
