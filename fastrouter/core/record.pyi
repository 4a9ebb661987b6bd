from typing import Any, final

from typing_extensions import disjoint_base

from fastrouter.core.event import Candle

__all__ = ["Record", "Recorder"]

@final
class Record:
    def __init__(
        self,
        *,
        kind: str,
        event_type: str,
        symbol: str,
        account: str,
        payload: dict[str, Any] | list[Any] | Candle,
        id: int,
        seq: int,
        time: int,
    ) -> None: ...
    @property
    def id(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def time(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def event_type(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def body(self) -> bytes | None: ...
    @property
    def payload(self) -> Any: ...

@disjoint_base
class Recorder:
    def record(self, record: Record) -> object: ...
