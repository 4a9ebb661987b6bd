"""Where orders are taken: a broker with a clock, and somebody to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from fastrouter.broker import Broker, Change

__all__ = ["Desk"]


class Desk(Protocol):
    """The live one, or a run's."""

    @property
    def broker(self) -> Broker:
        """To read what is; it changes by `change` alone. It may be ahead of what is kept: see
        `settled`.
        """

    def now(self) -> int:
        """ns since the epoch: the system's clock, or a run's simulated one."""

    async def change(self, call: Callable[[Broker, int], Change]) -> Change:
        """Do `call(broker, now)`, keep what it changed, announce it, and return it.

        Raises OrderError, and StoreError when it could not be kept; neither changed anything.
        """

    async def settled(self) -> None:
        """Wait until all that the broker shows now is kept. Raises StoreError when it cannot be."""

    def signal(self, payload: dict[str, Any]) -> str:
        """Publish a signal; its event's id. Raises EventError for what is none."""
