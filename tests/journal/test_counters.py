"""What a journal says of itself."""

import pytest

from fastrouter.journal.journal import Journal

from .events import Router, record


@pytest.mark.parametrize("name", [None, "journal.db"])
def test_what_was_recorded_and_what_is_kept(tmp_path, name):
    with Journal(name and tmp_path / name) as journal:
        router = Router()
        journal.follow(router)
        start = router.last_id
        for _ in range(3):
            router.last_id += 1
            journal.record(record(router.last_id))
        router.last_id += 1
        counters = journal.counters()
        assert counters[:6] == (3, 0, 0, 0, 0, 0)
        assert counters.tail_bytes == journal.tail.size > 0
        assert (counters.first_id, counters.last_id) == (start + 1, start + 4)
        assert (counters.spool_bytes > 0) <= (name is not None)
