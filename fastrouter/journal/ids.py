"""Event ids over restarts: no two runs of one journal use the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastrouter.journal.spool import Spool
from fastrouter.journal.store import Store

__all__ = ["BLOCK", "Ids", "boot_id"]

BLOCK = 1 << 32  # ids reserved at once: more than an hour at a million events a second
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Which start of the machine this is; "" where nobody says."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class Ids:
    """Reserves blocks of ids before they are used, and gives the rest back at a clean close.

    A block is written to the spool, which takes it even when the disk is full,
    and to the store, which outlives the spool. `start` is the last id that some
    run before may have used. `last_id()` says the last one this run used; set it
    once that is known.
    """

    def __init__(self, store: Store, spool: Spool) -> None:
        meta = store.meta
        boot = boot_id()
        self.start = max(meta.reserved, spool.reserved)
        self.last_id: Callable[[], int] = lambda: self.start
        self._store = store
        self._spool = spool
        # the machine itself went down: what the kernel held for us is gone
        torn = not meta.clean and meta.boot != boot
        spool.reserved = self.start + BLOCK
        store.update(
            durable=True,
            reserved=spool.reserved,
            clean=0,
            boot=boot,
            complete_after=self.start if torn else meta.complete_after,
        )

    def extend(self) -> None:
        """Reserve another block when half of one is used. Raises sqlite3.Error."""
        if self._spool.reserved - self.last_id() < BLOCK // 2:
            self._spool.reserved += BLOCK
        if self._store.meta.reserved != self._spool.reserved:
            self._store.update(durable=True, reserved=self._spool.reserved)

    def give_back(self) -> None:
        """The run ends here: the next goes on after its last id. Raises sqlite3.Error."""
        last = max(self.start, self.last_id())
        self._store.update(durable=True, reserved=last, clean=1)
        self._spool.reserved = last
