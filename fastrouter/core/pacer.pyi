from typing import final

from fastrouter.core.clock import Clock

@final
class Pacer:
    def __new__(cls, timer: Clock) -> Pacer: ...
    @property
    def next_due(self) -> int | None: ...
