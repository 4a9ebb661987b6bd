from typing import final

from fastrouter.core.dialect import Dialect

@final
class Encoder:
    def __new__(cls) -> Encoder: ...
    @property
    def dialects(self) -> list[Dialect]: ...
    @property
    def encoded(self) -> int: ...
