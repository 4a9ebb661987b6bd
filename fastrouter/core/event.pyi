from typing import Any, final

@final
class Quote:
    def __init__(
        self,
        symbol: str,
        *,
        bid: float,
        ask: float,
        last: float | None = None,
        bid_size: float = 0.0,
        ask_size: float = 0.0,
        time: int = 0,
        id: int = 0,
        seq: int = 0,
        snapshot: bool = False,
    ) -> None: ...
    @property
    def symbol(self) -> str: ...
    @property
    def bid(self) -> float: ...
    @property
    def ask(self) -> float: ...
    @property
    def last(self) -> float: ...
    @property
    def bid_size(self) -> float: ...
    @property
    def ask_size(self) -> float: ...
    @property
    def time(self) -> int: ...
    @property
    def id(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def snapshot(self) -> bool: ...

@final
class Candle:
    def __init__(
        self,
        symbol: str,
        *,
        timeframe: str = "1m",
        open: float,
        high: float,
        low: float,
        close: float,
        volume: float = 0.0,
        time: int = 0,
        closed: bool = True,
        id: int = 0,
        seq: int = 0,
        snapshot: bool = False,
    ) -> None: ...
    @property
    def symbol(self) -> str: ...
    @property
    def timeframe(self) -> str: ...
    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def close(self) -> float: ...
    @property
    def volume(self) -> float: ...
    @property
    def time(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def id(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def snapshot(self) -> bool: ...

@final
class Event:
    def __init__(
        self,
        kind: str,
        payload: Any,
        *,
        symbol: str = "",
        time: int = 0,
        id: int = 0,
        account: str = "",
    ) -> None: ...
    @property
    def account(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def payload(self) -> Any: ...
    @property
    def symbol(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def id(self) -> int: ...
