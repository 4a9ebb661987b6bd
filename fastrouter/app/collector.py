"""The cyclic collector of a process that serves."""

from __future__ import annotations

import gc

__all__ = ["settle"]

#: Objects between two collections of the youngest generation, and how many of those make an
#: older one. The hot path makes no cycles, so looking for them often buys nothing.
GC_THRESHOLDS = (50_000, 50, 100)


def settle() -> None:
    """Keep the cyclic collector off the hot path.

    What exists now (modules, tables, the loop) lives as long as the process:
    freezing it spares every later collection from walking it, and a full
    collection of an interpreter with our libraries takes tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
