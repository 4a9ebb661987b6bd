from collections.abc import Callable
from typing import final

from fastrouter.broker import Broker, Change

__all__ = ["Floor"]

@final
class Floor:
    def __init__(
        self,
        broker: Broker,
        on_change: Callable[[Change], object],
        on_marks: Callable[[int], object],
    ) -> None: ...
    @property
    def broker(self) -> Broker: ...
    def look(self) -> None: ...
