from collections.abc import Callable
from typing import Any

from typing_extensions import disjoint_base

from fastrouter.core.dialect import Dialect
from fastrouter.core.event import Candle, Event, Quote

__all__ = ["Botcore"]

Maker = Callable[[dict[str, Any], Event], tuple[str, Any]]

@disjoint_base
class Botcore(Dialect):
    @property
    def makers(self) -> dict[str, Maker]: ...
    def __init__(
        self,
        decimals: str = "number",
        name: str = "botcore",
        makers: dict[str, Maker] | None = None,
    ) -> None: ...
    def topic_text(self, symbol: str, timeframe: str) -> bytes: ...
    def encode(self, event: Quote | Candle | Event) -> bytes | None: ...
    def message(self, kind: str, body: Any, time: int) -> bytes: ...
    def control(self, kind: str, fields: Any, time: int) -> bytes: ...
    def decode(self, data: bytes) -> Quote | Candle | Event: ...
    def read(self, kind: str, message: dict[str, Any]) -> Quote | Candle | Event: ...
