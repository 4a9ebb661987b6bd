"""The messages of Alpaca's stream: ``{"action": …}`` where others have a ``type``.

``authenticate`` (or ``auth``) has a key, which may be anything, and a secret: the token.
With auth off both may be. ``listen`` names all streams that are wanted from here on; there is
``trade_updates``, others are passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastrouter.errors import AuthError, MessageError
from fastrouter.session import authenticate, replies
from fastrouter.session.messages import Message, found
from fastrouter.session.messages import kind_of as type_of
from fastrouter.session.subscriptions import Subscription

if TYPE_CHECKING:
    from fastrouter.session.effects import Effect
    from fastrouter.session.handlers import Handler
    from fastrouter.session.session import Session

__all__ = ["AUTHENTICATING", "LIVE", "kind_of", "refuse"]

STREAM = "trade_updates"
ORDERS = Subscription("*:order", "*", "order")


def kind_of(message: Any) -> str | None:
    """The ``action`` of a message; of one that has none its ``type``."""
    action = message.get("action") if isinstance(message, dict) else None
    return action if isinstance(action, str) else type_of(message)


def first(session: Session, message: Message, now: int) -> Effect:
    """As `authenticate.first`."""
    return authenticate.first(session, _authenticate(message), now)


def again(session: Session, message: Message, now: int) -> Effect:
    """As `authenticate.again`; with auth off whatever it says."""
    if session.rules.verifier is None:
        session.send("authenticated", subject=None)
        return None
    return authenticate.again(session, _authenticate(message), now)


def _authenticate(message: Message) -> Message:
    """The message in our words. Raises AuthError."""
    data = message.get("data", message)
    names = ("secret_key", "secret")
    tokens = [data[name] for name in names if name in data] if isinstance(data, dict) else []
    if not tokens or not isinstance(tokens[0], str):
        raise AuthError("authenticate: 'secret_key' must be a string: the token")
    return {"type": "Authenticate", "token": tokens[0]}


def listen(session: Session, message: Message, now: int) -> Effect:
    """Answered with the streams that there are of those; a token's claims may leave none."""
    data = message.get("data")
    streams = data.get("streams") if isinstance(data, dict) else None
    if not isinstance(streams, list) or not all(isinstance(one, str) for one in streams):
        raise MessageError("listen: 'data.streams' must be an array of strings")
    holding = session.holding
    items = holding.granted([ORDERS]) if STREAM in streams else []
    wanted = {item.pattern for item in items}
    held = [Subscription(text, *pattern) for pattern, text in holding.texts.items()]
    holding.remove(item for item in held if item.pattern not in wanted)
    holding.add([item for item in items if item.pattern not in holding.texts])
    session.send("listening", streams=[STREAM] if items else [])
    return None


def refuse(session: Session, message: Any, text: bytes) -> Effect:
    """An error that says what is allowed."""
    if not isinstance(message, dict) or ("type" in message and "action" not in message):
        return replies.refuse(session, message, text)
    allowed = ", ".join(LIVE)
    if "action" not in message:
        return session.reject(MessageError(f"message has no 'action'; allowed: {allowed}"))
    action = message["action"]
    told = repr(action[:100]) if isinstance(action, str) else found(action)
    return session.reject(MessageError(f"action {told} is not known; allowed: {allowed}"))


AUTHENTICATING: dict[str, Handler] = {"authenticate": first, "auth": first}
LIVE: dict[str, Handler] = {"authenticate": again, "auth": again, "listen": listen}
