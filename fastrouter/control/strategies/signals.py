"""When a signal was given last, by whomever."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from fastrouter.core.dialect import Dialect
from fastrouter.core.sink import MessageSink, Sink

__all__ = ["Signals"]


class Outbox(Protocol):
    def subscribe(self, patterns: Iterable[tuple[str, str]], /) -> object: ...
    def close(self) -> object: ...


class Router(Protocol):
    """`fastrouter.core.router.Router`."""

    def attach(self, sink: Sink, dialect: Dialect, /) -> Outbox: ...


class Signals:
    """To the router it is one more outbox, that is never full. `now` is in ns."""

    def __init__(self, router: Router, dialect: Dialect, now: Callable[[], int]) -> None:
        self.last: int | None = None
        self._now = now
        self._outbox = router.attach(MessageSink(self._hear), dialect)
        self._outbox.subscribe([("*", "signal")])

    def _hear(self, message: bytes) -> None:
        self.last = self._now()

    def close(self) -> None:
        """Hear no more."""
        self._outbox.close()
