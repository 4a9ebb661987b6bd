from collections.abc import Callable, Iterable
from typing import Any, overload

import numpy.typing as npt
from typing_extensions import disjoint_base

from fastrouter.core.clock import Clock
from fastrouter.core.counters import Counters
from fastrouter.core.day import Day
from fastrouter.core.dialect import Dialect
from fastrouter.core.dtypes import Rows
from fastrouter.core.encoder import Encoder
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.flusher import Flusher
from fastrouter.core.outbox import Outbox
from fastrouter.core.record import Recorder
from fastrouter.core.sink import Sink

__all__ = ["Router"]

@disjoint_base
class Router:
    wake: Callable[[], object] | None
    def __init__(
        self,
        *,
        clock: Clock,
        timer: Clock | None = None,
        outbox_bytes: int = 1048576,
        total_bytes: int = 268435456,
        recorder: Recorder | None = None,
        statistics: bool = False,
        validate: Callable[[str, Any], dict[str, Any]] | None = None,
        candles: Iterable[str] = (),
        price: str = "last",
    ) -> None: ...
    @property
    def flusher(self) -> Flusher: ...
    @property
    def encoder(self) -> Encoder: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def recorder(self) -> Recorder | None: ...
    @property
    def last_id(self) -> int: ...
    @property
    def published(self) -> int: ...
    @property
    def timer(self) -> Clock: ...
    @property
    def next_due(self) -> int | None: ...
    @property
    def next_close(self) -> int | None: ...
    @property
    def next_live_close(self) -> int | None: ...
    @property
    def candles(self) -> tuple[str, ...]: ...
    @property
    def price(self) -> str: ...
    @property
    def late(self) -> int: ...
    @property
    def throttled(self) -> int: ...
    @property
    def pending(self) -> int: ...
    def attach(
        self, sink: Sink, dialect: Dialect, *, outbox_bytes: int | None = None
    ) -> Outbox: ...
    @overload
    def publish(self, event: Quote | Candle | Event, payload: None = None) -> None: ...
    @overload
    def publish(
        self,
        event: str,
        payload: dict[str, Any] | list[Any],
        *,
        symbol: str | None = None,
        time: int = 0,
        account: str | None = None,
    ) -> None: ...
    def publish_event(
        self,
        kind: str,
        payload: dict[str, Any] | list[Any],
        symbol: str,
        time: int,
        account: str | None = None,
    ) -> None: ...
    def notice(self, symbol: str, event_type: str, kind: str, /, **fields: Any) -> None: ...
    def published_at(self, id: int) -> int: ...
    def start_after(self, id: int) -> None: ...
    def publish_batch(self, array: Rows, volumes: npt.ArrayLike | None = None) -> None: ...
    def close_candles(self, now: int, *, live: bool = False) -> None: ...
    def flush(self, budget: int = 64) -> bool: ...
    @property
    def statistics(self) -> bool: ...
    def day(self, symbol: str) -> Day | None: ...
    def last_event_time(self) -> int: ...
    def counters(self) -> Counters: ...
