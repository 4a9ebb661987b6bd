"""What a session sends each interval, so that a client which lives shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastrouter.session.session import Session

__all__ = ["by_both", "by_frame", "by_message"]

PING = 0x9  # RFC 6455, 5.5.2


def by_message(session: Session) -> None:
    """A message that the client's program answers."""
    session.send("ping")


def by_frame(session: Session) -> None:
    """A frame that the client's WebSocket library answers."""
    session.outbox.control(b"", PING)


def by_both(session: Session) -> None:
    """Either will do."""
    by_message(session)
    by_frame(session)
