"""The interpreter of a process that serves: its cyclic collector, and who waits for whom."""

from __future__ import annotations

import gc
import sys

__all__ = ["settle"]

#: Objects between two collections of the youngest generation, and how many of those make an
#: older one. The hot path makes no cycles, so looking for them often buys nothing.
GC_THRESHOLDS = (50_000, 50, 100)

#: Seconds after which a thread that wants the interpreter gets it: the store's and the journal's
#: are never in a hurry, the loop always is.
SWITCH_INTERVAL = 0.0005


def settle() -> None:
    """Keep the cyclic collector off the hot path, and threads from holding the loop up.

    What exists now (modules, tables, the loop) lives as long as the process:
    freezing it spares every later collection from walking it, and a full
    collection of an interpreter with our libraries takes tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_INTERVAL)
