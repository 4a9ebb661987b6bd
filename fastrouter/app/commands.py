"""Who carries out which of a session's commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastrouter.session.strategies import NoStrategies, Strategies

if TYPE_CHECKING:
    from fastrouter.session.session import Session

__all__ = ["Dispatch"]


class Dispatch:
    """A `Strategies` of several; a command in no row is answered as where nobody runs any."""

    def __init__(self, rows: Mapping[str, Strategies]) -> None:
        self._rows = dict(rows)
        self._otherwise = NoStrategies()

    def command(self, session: Session, name: str, fields: dict[str, Any]) -> None:
        """Raises MessageError."""
        self._rows.get(name, self._otherwise).command(session, name, fields)
