from typing import final

from fastrouter.journal.entry import Entry

__all__ = ["Tail"]

@final
class Tail:
    max_bytes: int
    size: int
    after: int
    last: int
    def __new__(cls, max_bytes: int, start: int = ...) -> Tail: ...
    def __len__(self) -> int: ...
    @property
    def first(self) -> int: ...
    def append(self, packed: bytes) -> None: ...
    def page(self, after: int, size: int) -> list[Entry]: ...
