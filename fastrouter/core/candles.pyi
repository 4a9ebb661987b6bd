from collections.abc import Iterable
from typing import final

from fastrouter.core.clock import Clock
from fastrouter.core.matcher import Matcher

__all__ = ["CandleBuilder"]

@final
class CandleBuilder:
    def __init__(self, matcher: Matcher, clock: Clock, timeframes: Iterable[str]) -> None: ...
    @property
    def timeframes(self) -> tuple[str, ...]: ...
    @property
    def late(self) -> int: ...
