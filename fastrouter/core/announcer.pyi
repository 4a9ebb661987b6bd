from typing import final

from fastrouter.core.encoder import Encoder
from fastrouter.core.flusher import Flusher
from fastrouter.core.matcher import Matcher

@final
class Announcer:
    def __new__(
        cls, encoder: Encoder, matcher: Matcher, flusher: Flusher, limit: int
    ) -> Announcer: ...
    @property
    def limit(self) -> int: ...
