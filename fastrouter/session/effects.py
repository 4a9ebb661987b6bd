"""What a session decided and only its caller can do: data, no behaviour."""

from __future__ import annotations

from typing import NamedTuple

from fastrouter.errors import CloseCode

__all__ = ["Authenticated", "Close", "Effect", "Rejected", "Resume"]


class Close(NamedTuple):
    """The caller closes the connection with this code."""

    code: CloseCode
    reason: str


class Rejected(NamedTuple):
    """A message was answered with an error; the caller may log it."""

    code: str
    reason: str


class Resume(NamedTuple):
    """The outbox is held: the caller replays what followed event `since`, then goes live."""

    since: int


class Authenticated(NamedTuple):
    """The session proved who it is, at first or anew; `resume` is what it asked for before."""

    subject: str
    resume: Resume | None = None


Effect = Close | Rejected | Resume | Authenticated | None
