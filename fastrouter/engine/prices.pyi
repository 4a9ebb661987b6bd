from collections.abc import Iterable
from typing import final

from fastrouter.broker import Last
from fastrouter.core.router import Router

__all__ = ["RunPrices"]

@final
class RunPrices:
    def __init__(self, router: Router, symbols: Iterable[str] = ()) -> None: ...
    def resolve(self, symbol: str) -> str: ...
    def symbols(self) -> list[str]: ...
    def last(self, symbol: str) -> Last | None: ...
