from typing import Never, final

from fastrouter.core.clock import Clock

@final
class SystemClock(Clock):
    def set(self, time: int) -> Never: ...

@final
class MonotonicClock(Clock):
    def set(self, time: int) -> Never: ...
