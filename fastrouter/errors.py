"""One tree of exceptions, and the codes of the wire as data.

::

    FastrouterError
    ├── ConfigError            our operator's fault: what was configured cannot run
    ├── EventError             a publisher's fault: an event that cannot be routed
    ├── SubscriptionError      a peer's fault: a malformed subscription item
    ├── MessageError           a peer's fault: a client message that cannot be served
    ├── AuthError              a peer's fault: a token that does not prove who it is
    ├── FeedError              a feed's source cannot be read
    ├── OrderError             a trader's fault: an order that cannot be, or cannot be changed
    ├── StoreError             what had to be kept cannot be: a full disk
    └── ConnectionFailed       the client could not connect, or lost its session for good

Every exception has a ``code``: the word a program can rely on, while the
message is for people. `EventError` is a `ValueError` too, so that embedders
who know nothing of this tree catch what they expect.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

__all__ = [
    "GRAVITY",
    "AuthError",
    "CloseCode",
    "ConfigError",
    "ConnectionFailed",
    "ErrorCode",
    "EventError",
    "FastrouterError",
    "FeedError",
    "Gravity",
    "MessageError",
    "OrderError",
    "Severity",
    "StoreError",
    "SubscriptionError",
    "gravity",
]


class CloseCode(IntEnum):
    """Why the server closed a session (WebSocket close codes)."""

    DONE = 1000
    DRAIN = 1001
    PROTOCOL_ERROR = 1002
    INVALID_TEXT = 1007
    POLICY = 1008
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SLOW_CONSUMER = 4008
    NOT_AUTHENTICATED = 4401
    NOT_ALLOWED = 4403
    HEARTBEAT_LOST = 4408


class ErrorCode(StrEnum):
    """What an ``error`` message says a program can rely on."""

    INVALID_MESSAGE = "INVALID_MESSAGE"
    INVALID_SUBSCRIPTION = "INVALID_SUBSCRIPTION"
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    FORBIDDEN = "FORBIDDEN"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    RESUME_GAP = "RESUME_GAP"
    UNKNOWN_STRATEGY = "UNKNOWN_STRATEGY"
    ALREADY_RUNNING = "ALREADY_RUNNING"
    NOT_RUNNING = "NOT_RUNNING"
    STRATEGY_FAILED = "STRATEGY_FAILED"
    STRATEGY_PAUSED = "STRATEGY_PAUSED"


class Severity(StrEnum):
    """How bad an error is, in CORE's words."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class Gravity(NamedTuple):
    """How bad an error is, and whether the same session can do better."""

    severity: Severity = Severity.ERROR
    recoverable: bool = True


#: code -> its gravity, where that is not the usual one
GRAVITY = {
    ErrorCode.NOT_AUTHENTICATED: Gravity(recoverable=False),
    ErrorCode.TOKEN_EXPIRED: Gravity(recoverable=False),
    ErrorCode.FORBIDDEN: Gravity(recoverable=False),
    ErrorCode.RESUME_GAP: Gravity(Severity.WARNING, recoverable=False),
    "WEBSOCKET_ERROR": Gravity(Severity.WARNING),  # CORE's; what a rate limit's warning is
}


def gravity(code: str) -> Gravity:
    """The gravity of an error's code: an ERROR that is recoverable, if `GRAVITY` knows no other."""
    return GRAVITY.get(code, Gravity())


class FastrouterError(Exception):
    """Base of all errors this package raises on purpose."""

    code: str = "ERROR"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class ConfigError(FastrouterError):
    """The configuration names something that cannot be."""

    code = "INVALID_CONFIG"


class EventError(FastrouterError, ValueError):
    """An event that cannot be routed: a value that is not finite, a symbol that is not a symbol."""

    code = "INVALID_EVENT"


class SubscriptionError(FastrouterError, ValueError):
    """A subscription item that breaks the grammar; the message names the item and the rule."""

    code = ErrorCode.INVALID_SUBSCRIPTION


class MessageError(FastrouterError, ValueError):
    """A client message that cannot be served; the message says why."""

    code = ErrorCode.INVALID_MESSAGE


class AuthError(FastrouterError):
    """A token that does not prove who it is; the message says why, and never holds the token."""

    code = ErrorCode.NOT_AUTHENTICATED


class FeedError(FastrouterError):
    """A feed's source cannot be read, or holds what it must not."""

    code = "FEED_ERROR"


class OrderError(FastrouterError, ValueError):
    """An order that cannot be made, found or changed; no order's state changed by it."""

    code = "INVALID_ORDER"


class StoreError(FastrouterError):
    """What had to be kept could not be written, so that it did not happen."""

    code = "STORE_ERROR"


class ConnectionFailed(FastrouterError, ConnectionError):
    """A client could not connect, or lost its session and may not come back.

    ``close_code`` is what the server closed with, ``http_status`` what it
    answered at the handshake; each is None when that is not how it ended.
    """

    code = "CONNECTION_FAILED"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        close_code: int | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.close_code = close_code
        self.http_status = http_status
