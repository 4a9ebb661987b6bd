from os import PathLike
from typing import final

__all__ = ["HEAD_BYTES", "Spool"]

HEAD_BYTES: int

@final
class Spool:
    path: str | PathLike[str]
    capacity: int
    head: int
    owner: bytes
    lost_to: int
    reserved: int
    source: bytes
    noticed: bool
    def __new__(cls, path: str | PathLike[str], capacity: int = ...) -> Spool: ...
    def append(self, data: bytes) -> bool: ...
    def release(self, position: int) -> None: ...
    def read(self, count: int) -> tuple[list[bytes], int]: ...
    def entries(self) -> list[bytes]: ...
    @property
    def used(self) -> int: ...
    @property
    def position(self) -> int | None: ...
    @position.setter
    def position(self, value: int) -> None: ...
    store: bytes
    done: int
    intent: int
    def close(self) -> None: ...
