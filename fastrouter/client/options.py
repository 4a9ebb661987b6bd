"""How a client connects: every choice in one frozen place."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from ssl import SSLContext

from fastrouter.client import address
from fastrouter.client.inbox import AnyEvent
from fastrouter.client.surroundings import Surroundings

__all__ = ["DEFAULT_URL", "Options", "Token", "own_token", "resolve", "since_of", "token_of"]

Token = str | Callable[[], "str | Awaitable[str]"]
"""A token, or who is asked for one before every attempt to connect."""

DEFAULT_URL = "ws://localhost:8082"
URL_VARIABLE = "PROXY_WS_URL"
SUBSCRIPTIONS_VARIABLE = "SUBSCRIPTIONS"
TOKEN_VARIABLE = "PROXY_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """See `fastrouter.connect` for what each means; times are seconds.

    A session has held, so that the backoff starts over, after ``stable_after``,
    or after ``delivered_after`` when it brought more than its welcome; in a run
    at once when it brought an event that is new.
    ``decoder``, when given, reads messages instead of the dialect's: bytes to
    an event, MessageError for what cannot be read.
    """

    url: str = DEFAULT_URL
    subscriptions: list[str] | None = None
    dialect: str = "trading-api"
    ack: bool | None = None
    reconnect: bool = True
    backoff: tuple[float, float] = (1.0, 30.0)
    token: Token | None = field(default=None, repr=False)
    since: int | None = None
    conflate: str | None = None
    on_state: Callable[[bool], None] | None = None
    ssl_context: SSLContext | None = None
    open_timeout: float = 10.0
    close_timeout: float = 2.0
    idle_timeout: float = 30.0
    stable_after: float = 10.0
    delivered_after: float = 2.0
    capacity: int = 1024
    max_message_bytes: int = 4 * 1024 * 1024
    decoder: Callable[[bytes], AnyEvent] | None = None
    surroundings: Surroundings = field(default_factory=Surroundings)


def token_of(url: str | None, token: Token | None) -> Token | None:
    """The token to send: for the environment's own address the environment's, if none is given.

    Another address does not get it: a token is for the server it was made for.
    """
    return own_token(URL_VARIABLE, url) if token is None else token


def own_token(variable: str, url: str | None) -> str | None:
    """The environment's token, for the address that the variable names, or none does."""
    if url is not None and url != os.environ.get(variable):
        return None
    return os.environ.get(TOKEN_VARIABLE) or None


def since_of(url: str, since: str | int | None) -> int | None:
    """The number to resume after; by default what the URL's own query string names."""
    if since is None:
        since = address.parameter(url, "since")
    return None if since is None else address.number_of(since)


def resolve(
    url: str | None, subscriptions: str | Iterable[str] | None
) -> tuple[str, list[str] | None]:
    """Where to connect and what to ask for, the environment filling in what is None.

    Raises ConnectionFailed for a URL that is none.
    """
    target = address.check(url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
    if subscriptions is None:
        asked = address.asked_for(target)
        if asked is not None:
            return target, asked
        subscriptions = os.environ.get(SUBSCRIPTIONS_VARIABLE) or None
    if subscriptions is None:
        return target, None
    if isinstance(subscriptions, str):
        subscriptions = [subscriptions]
    return target, [item for text in subscriptions for item in address.split_items(text)]
