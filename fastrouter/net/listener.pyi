from typing import Any, final

from picows import WSListener

from fastrouter.core.outbox import Outbox
from fastrouter.core.sink import Sink

@final
class SocketSink(Sink): ...

@final
class Listener(WSListener):
    session: Any
    outbox: Outbox
    def __init__(self, server: Any, subscriptions: str | None) -> None: ...
    def close(self, code: int, reason: str = "") -> None: ...
    def abort(self) -> None: ...
    @property
    def address(self) -> tuple[Any, ...] | None: ...
