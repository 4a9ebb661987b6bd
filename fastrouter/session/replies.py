"""What is said to messages that no handler knows, and to what is no message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orjson import Fragment

from fastrouter.errors import MessageError
from fastrouter.session.messages import found, kind_of

if TYPE_CHECKING:
    from fastrouter.session.effects import Effect
    from fastrouter.session.session import Session

__all__ = ["acknowledge", "echo", "pass_over", "refuse", "reject"]


def refuse(session: Session, message: Any, text: bytes) -> Effect:
    """An error that says what is allowed."""
    return session.reject(_complaint(session, message))


def echo(session: Session, message: Any, text: bytes) -> Effect:
    """DGBIT's events: the message as it came."""
    session.send("echo", received=Fragment(text))
    return None


def acknowledge(session: Session, message: Any, text: bytes) -> Effect:
    """DGBIT's job stream: that it came."""
    session.send("ack", job_uuid=session.variable)
    return None


def reject(session: Session, error: MessageError) -> Effect:
    """An error, for what is no message."""
    return session.reject(error)


def pass_over(session: Session, error: MessageError) -> Effect:
    """DGBIT: what is no message is logged, and not answered."""
    return session.note_rejected(error)


def _complaint(session: Session, message: Any) -> MessageError:
    if not isinstance(message, dict):
        return MessageError(f"message is {found(message)}; allowed: an object")
    if "type" not in message:
        return MessageError("message has no 'type'")
    kind = kind_of(message)
    if kind is None:
        return MessageError(f"'type' is {found(message['type'])}; it must be a string")
    allowed = ", ".join(session.manners.handlers[session.state])
    return MessageError(f"type {kind[:100]!r} is not known; allowed: {allowed}")
