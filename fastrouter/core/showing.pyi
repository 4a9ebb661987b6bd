from typing import final

from fastrouter.core.candles import CandleBuilder
from fastrouter.core.clock import Clock

@final
class Showing:
    def __new__(cls, timer: Clock, builder: CandleBuilder) -> Showing: ...
