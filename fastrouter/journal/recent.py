"""The newest events in a spool of their own, for a server that has no journal's file.

A run takes over what the one before it left there: sessions resume over a restart, and it is
known what was announced (`delivery`). An event is here before anybody is sent it, and keeps its
id: killed before, the next run publishes it; killed later, who missed it asks for it and who had
it does not. There is no instant in between but for a crash of the machine, which may tear the
file: what is here holds for one boot. There is no thread and no database: when the ring is full
the oldest go.
"""

from __future__ import annotations

import logging
from hashlib import blake2b
from pathlib import Path

from fastrouter.errors import ConfigError
from fastrouter.journal.ids import boot_id
from fastrouter.journal.packed import unpack
from fastrouter.journal.spool import Spool
from fastrouter.journal.tail import Tail

__all__ = ["RECENT_BYTES", "Recent"]

RECENT_BYTES = 4 << 20
PARTS = 64  # of the ring, of which one goes at a time: nobody waits for long
ENTRIES = 16  # read at once to let go of them
NONE = 1 << 62  # above all ids and numbers of events that there will be


class Recent:
    """The spool at `path`, made when there is none, all of its room taken from the disk at once.

    What is there of another boot, or damaged, is let go of: sessions that come from before the
    id `start` are told RESUME_GAP then. Raises ConfigError for a path where no file can be
    written (a full disk, too), and for one that another server uses (code JOURNAL_LOCKED).

    It is the writer of a `Keeper` with that spool.
    """

    def __init__(self, path: Path, start: int, capacity: int = RECENT_BYTES) -> None:
        self.spool = _opened(path, capacity)
        boot = blake2b(boot_id().encode(), digest_size=16).digest()
        if self.spool.owner != boot:
            self._begin_anew(start, boot)

    def _begin_anew(self, start: int, boot: bytes) -> None:
        """What was published is told by the store alone; `owner` last: a kill begins it again."""
        spool = self.spool
        spool.lost_to = max(start, spool.lost_to)
        spool.intent = spool.done % 2  # that of none that comes, see `delivery`
        spool.release(spool.head)
        spool.owner = boot

    def tail(self, max_bytes: int) -> Tail:
        """What sessions of earlier runs can have, complete from its `after` on."""
        tail = Tail(max_bytes, self.spool.lost_to)
        for packed in self.spool.entries():
            if unpack(packed).id > self.spool.lost_to:
                tail.append(packed)
        return tail

    # ------------------------------------------------------------- what a keeper asks for

    def wake(self) -> None:
        """Nobody empties it."""

    def make_room(self) -> bool:
        """Let go of the oldest."""
        spool = self.spool
        enough = spool.capacity - spool.capacity // PARTS
        while spool.used > enough:
            packed, position = spool.read(ENTRIES)
            spool.lost_to = max(spool.lost_to, unpack(packed[-1]).id)
            spool.release(position)
        return True

    def lose(self, event: int, again: bool) -> None:
        """It is larger than what goes at once: of this run's sessions alone."""
        self.spool.lost_to = event

    def close(self) -> None:
        """Let go of the file; what is there stays. Safe to call again."""
        self.spool.close()


def _opened(path: Path, capacity: int) -> Spool:
    """One that is damaged is made anew: the store's word is enough to trade."""
    log = logging.getLogger("fastrouter.journal")
    try:
        spool = Spool(path, capacity)
    except ConfigError as error:
        if isinstance(error.__context__, OSError):  # in use, or not to be had
            raise
        log.warning("%s: begun anew", error)
    else:
        if max(spool.lost_to, spool.done, spool.intent) < NONE:
            return spool
        spool.close()
        log.warning("%s is damaged: begun anew", path)
    try:
        path.unlink()
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}") from None
    return Spool(path, capacity)
