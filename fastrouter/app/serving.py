"""What runs, in words."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Serving"]


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs, for whoever wants to tell people: URLs by dialect, and the feed in a line."""

    host: str
    port: int
    paths: tuple[str, ...]
    dialect: str
    feed: str
    secure: bool = False
    control: str | None = None  # the control port's URL

    @property
    def urls(self) -> list[str]:
        """Every WebSocket endpoint."""
        scheme = "wss" if self.secure else "ws"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [f"{scheme}://{host}:{self.port}{path}" for path in self.paths]
