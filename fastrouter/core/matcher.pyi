from typing import final

__all__ = ["Matcher"]

@final
class Matcher:
    def __new__(cls) -> Matcher: ...
    @property
    def names(self) -> tuple[str, ...]: ...
