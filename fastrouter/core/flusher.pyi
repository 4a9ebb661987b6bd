from collections.abc import Callable
from typing import final

from fastrouter.core.clock import Clock
from fastrouter.core.encoder import Encoder
from fastrouter.core.matcher import Matcher
from fastrouter.core.ring import Ring

@final
class Flusher:
    wake: Callable[[], object] | None
    def __new__(
        cls,
        encoder: Encoder,
        matcher: Matcher,
        ring_bytes: int,
        inline_limit: int,
        timer: Clock,
        budget: int,
    ) -> Flusher: ...
    @property
    def ring(self) -> Ring: ...
    @property
    def copied(self) -> int: ...
    @property
    def pending(self) -> int: ...
    @property
    def idle(self) -> bool: ...
    def begin(self) -> None: ...
    def end(self) -> None: ...
    def flush(self, budget: int = 64) -> bool: ...
