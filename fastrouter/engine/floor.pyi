from collections.abc import Callable
from typing import Any, final

from fastrouter.broker import Broker

__all__ = ["Floor"]

@final
class Floor:
    def __init__(
        self,
        broker: Broker,
        on_event: Callable[[str, dict[str, Any]], object],
        on_marks: Callable[[int], object],
    ) -> None: ...
    @property
    def broker(self) -> Broker: ...
    def look(self) -> None: ...
