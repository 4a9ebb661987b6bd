from typing import Protocol

from typing_extensions import disjoint_base

from fastrouter.core.record import Recorder
from fastrouter.journal.spool import Spool
from fastrouter.journal.tail import Tail

__all__ = ["Keeper"]

class _Writer(Protocol):
    def wake(self) -> None: ...
    def make_room(self) -> bool: ...
    def lose(self, event: int, again: bool) -> None: ...

@disjoint_base
class Keeper(Recorder):
    tail: Tail
    recorded: int
    def __init__(
        self, tail: Tail, spool: Spool | None = ..., writer: _Writer | None = ...
    ) -> None: ...
