"""Data that was read lately: who runs again over the same does not read it again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from threading import Lock
from typing import NamedTuple

from .dataset import IGNORED
from .merge import Stretch
from .track import BadRow

__all__ = ["Memory"]

BOUND = 64 << 20  # bytes
MOST_BAD = 1000  # rows that are left out of a stream

Read = Callable[[BadRow], Iterator[Stretch]]
"""Reads from the start; told of bad rows by what it is given."""


class _Kept(NamedTuple):
    stretches: list[Stretch]
    bad: list[tuple[object, ...]]
    size: int  # bytes


class Memory:
    """Whole streams of together at most `bound` bytes; the newest, by when they were asked for.

    One of which more than `MOST_BAD` rows are left out is not kept: what is said of them is
    memory, too.

    Threads may share it.
    """

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._kept: dict[Hashable, _Kept] = {}
        self._lock = Lock()

    def stretches(
        self, key: Hashable, read: Read, on_bad: BadRow = IGNORED, size: int = 0
    ) -> Iterator[Stretch]:
        """What `read` yields, from memory if it was read to its end before by that key.

        `size`: bytes, if known before; what is too large anyway is not kept on the way either.
        """
        if size > self._bound:
            yield from read(on_bad)
            return
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is not None:
                self._kept[key] = kept
        if kept is None:
            yield from self._read(key, read, on_bad)
            return
        for row in kept.bad:
            on_bad(*row)  # type: ignore[arg-type]
        yield from kept.stretches

    def _read(self, key: Hashable, read: Read, on_bad: BadRow) -> Iterator[Stretch]:
        stretches: list[Stretch] = []
        bad: list[tuple[object, ...]] = []
        size = 0

        def note(*row: object) -> None:
            if len(bad) <= MOST_BAD:
                bad.append(row)
            on_bad(*row)  # type: ignore[arg-type]

        for stretch in read(note):
            size += stretch.size
            if size <= self._bound:
                stretches.append(stretch)
            else:
                stretches.clear()
            yield stretch
        if size <= self._bound and len(bad) <= MOST_BAD:
            self._keep(key, _Kept(stretches, bad, size))

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            total = sum(one.size for one in self._kept.values())
            while total > self._bound:
                total -= self._kept.pop(next(iter(self._kept))).size
