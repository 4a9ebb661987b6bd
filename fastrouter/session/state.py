"""How far a session is."""

from __future__ import annotations

from enum import Enum

__all__ = ["State"]


class State(Enum):
    """How far a session is."""

    AUTHENTICATING = "authenticating"
    LIVE = "live"
