"""Where a program's output goes: on, as it comes."""

from __future__ import annotations

from collections.abc import Callable

from fastrouter.control.child import Log

__all__ = ["Output"]


class Output(Log):
    """Hands all that a program writes to `write`, and keeps its last lines."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__(None, lines=100)
        self._hand_on = write

    def write(self, data: bytes) -> None:
        """See `Log.write`."""
        super().write(data)
        self._hand_on(data)
