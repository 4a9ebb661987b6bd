from collections.abc import Callable
from typing import final

from fastrouter.engine.merge import Stretch

__all__ = ["Tape"]

@final
class Tape:
    on_hunger: Callable[[], object] | None
    def feed(self, stretch: Stretch) -> None: ...
    def end(self) -> None: ...
    @property
    def hungry(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def over(self) -> bool: ...
    @property
    def time(self) -> int: ...
