from typing import final

from fastrouter.core.clock import Clock

@final
class SystemClock(Clock):
    def __init__(self) -> None: ...
