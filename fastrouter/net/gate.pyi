from typing import final

from typing_extensions import Buffer

@final
class Gate:
    def __init__(self, limit: int) -> None: ...
    @property
    def broken(self) -> tuple[int, str] | None: ...
    def take(self, data: Buffer) -> int: ...
