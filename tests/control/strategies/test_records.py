from __future__ import annotations

import asyncio

import pytest

from fastrouter.control.database import Database
from fastrouter.control.strategies.records import Record, Records, State
from fastrouter.errors import ConfigError


async def test_a_row_is_what_was_saved_last(tmp_path):
    path = tmp_path / "s.db"
    database = Database(path)
    records = Records(database)
    assert await records.load() == {}
    first = Record(State.STARTED, {"symbols": ["S:A"], "maxPositionValue": 0.1}, 2, "exit status 1")
    later = first._replace(state=State.PAUSED)
    await asyncio.gather(
        records.save("a", first, 1), records.save("b", Record(), 1), records.save("a", later, 2)
    )
    await database.close()
    database = Database(path)
    assert await Records(database).load() == {"a": later, "b": Record()}
    await database.close()


async def test_a_store_of_a_newer_program(tmp_path):
    database = Database(tmp_path / "s.db")
    await database.run(
        lambda connection: connection.execute("INSERT INTO schema VALUES ('strategies', 9)")
    )
    with pytest.raises(ConfigError, match="strategies are of version 9"):
        Records(database)
    await database.close()
