"""How far a source of events has been published, by ids of its own."""

from __future__ import annotations

from hashlib import blake2b

from fastrouter.journal.spool import Spool

__all__ = ["Bookmark"]


class Bookmark:
    """The last position in the source called `name`; in a spool it survives as the entries do.

    A spool holds one: another name begins anew. Who publishes moves it afterwards: killed
    between the two, it publishes again what it published last. Moved before, it would lose it,
    and that nobody could make good.
    """

    def __init__(self, name: str, spool: Spool | None = None) -> None:
        self._spool = spool
        self._position: int | None = None
        source = blake2b(name.encode(), digest_size=16).digest()
        if spool is not None:
            if spool.source != source:
                spool.source = source
            self._position = spool.position

    @property
    def position(self) -> int | None:
        """The source's id up to which all is published; None when it is not known."""
        return self._position

    @position.setter
    def position(self, position: int) -> None:
        self._position = position
        if self._spool is not None:
            self._spool.position = position
