"""The message ``Authenticate``: who the client is, at first and anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastrouter.errors import AuthError, ErrorCode, MessageError
from fastrouter.session.effects import Authenticated, Close
from fastrouter.session.messages import Message, field

if TYPE_CHECKING:
    from fastrouter.session.auth import Grant
    from fastrouter.session.effects import Effect
    from fastrouter.session.session import Session

__all__ = ["again", "first"]

SECOND = 1_000_000_000  # ns


def first(session: Session, message: Message, now: int) -> Effect:
    """The first message of a session that has to say who it is: it is live from here on."""
    grant = _verify(session, message)
    session.claim(grant)
    _admit(session, grant, now)
    begun = session.begin()
    return begun if isinstance(begun, Close) else Authenticated(session.subject or "", begun)


def again(session: Session, message: Message, now: int) -> Effect:
    """A fresh token: the same subject goes on with what the new one grants."""
    if session.rules.verifier is None:
        field(message, "token", str, "a string")
        session.send("authenticated", subject=None)
        return None
    grant = _verify(session, message)
    if grant.subject != session.subject:
        raise MessageError("the token is of another subject", code=ErrorCode.FORBIDDEN)
    session.claim(grant)
    _admit(session, grant, now)
    session.outbox.allow(grant.accounts)
    lost = session.holding.narrow(grant.entitlement)
    if lost:
        session.reject(lost)
        session.send("unsubscribed", subscriptions=session.holding.names)
    return Authenticated(grant.subject, anew=True)


def _verify(session: Session, message: Message) -> Grant:
    """What the message's token grants. Raises AuthError."""
    assert session.rules.verifier is not None
    token = message.get("token")
    if not isinstance(token, str):
        raise AuthError("Authenticate: 'token' must be a string")
    return session.rules.verifier.verify(token, session.clock.time_ns() / SECOND)


def _admit(session: Session, grant: Grant, now: int) -> None:
    session.admit(grant, now)
    session.send(
        "authenticated",
        subject=grant.subject,
        accounts=list(grant.accounts),
        expires=grant.expires,
    )
