"""What a session decided and only its caller can do: data, no behaviour."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastrouter.errors import CloseCode

__all__ = ["Authenticated", "Close", "Command", "Effect", "Rejected", "Resume"]


class Close(NamedTuple):
    """The caller closes the connection with this code."""

    code: CloseCode
    reason: str


class Rejected(NamedTuple):
    """A message was not served, and answered so where that is due; the caller may log it."""

    code: str
    reason: str


class Resume(NamedTuple):
    """The outbox is held: the caller replays what followed event `since`, then goes live."""

    since: int


class Authenticated(NamedTuple):
    """The session proved who it is, at first or `anew`; `begun` is to be done of what it had
    asked for before."""

    subject: str
    begun: Resume | Rejected | None = None
    anew: bool = False


class Command(NamedTuple):
    """The caller hands it to whoever runs strategies (`fastrouter.session.strategies`).

    `fields` are those that the command has, checked (`fastrouter.session.commands`).
    """

    name: str
    fields: dict[str, Any]


Effect = Close | Rejected | Resume | Authenticated | Command | None
