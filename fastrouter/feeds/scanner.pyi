from collections.abc import Callable, Collection, Mapping
from typing import final

import numpy as np
import numpy.typing as npt

from fastrouter.core.dtypes import Rows

__all__ = ["Scanner"]

@final
class Scanner:
    def __new__(
        cls,
        blank: Rows,
        fields: list[str | None],
        optional: Collection[str],
        delimiter: str,
        faults: Mapping[str, Callable[[str], str | None]],
    ) -> Scanner: ...
    def scan(
        self, text: bytes, form: str, unit: int
    ) -> tuple[Rows, npt.NDArray[np.float64] | None] | None: ...
