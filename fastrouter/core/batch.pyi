from typing import Any, final

import numpy.typing as npt

from fastrouter.core.matcher import Matcher

__all__ = ["Batch"]

@final
class Batch:
    def __new__(
        cls, array: npt.NDArray[Any], matcher: Matcher, volumes: npt.ArrayLike | None = None
    ) -> Batch: ...
    @property
    def count(self) -> int: ...
