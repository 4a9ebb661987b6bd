"""What a journal has counted, for whoever watches it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Counters"]


class Counters(NamedTuple):
    """Since the start, but for what is there now: `replays` and all that follows."""

    recorded: int  # events
    lost: int  # that the file had no room for, or not in time
    write_errors: int  # rounds of the writer that failed; each is repeated
    read_errors: int  # pages that could not be read
    replay_errors: int  # sessions closed because a step of their replay raised
    replays: int
    spool_bytes: int  # not in the store yet
    tail_bytes: int  # memory
    first_id: int  # of the oldest event that is kept, 0: none is
    last_id: int  # of the newest event, recorded or not
