"""The URL a client opens: the server's, with what is asked for in its query string."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit, urlunsplit

from fastrouter.errors import ConnectionFailed

__all__ = [
    "asked_for",
    "check",
    "number_of",
    "parameter",
    "parts_of",
    "shown",
    "split_items",
    "with_parameters",
]

READABLE = ":,*@"  # may stand in a query string as they are (RFC 3986, 3.4)
SCHEMES = ("ws", "wss")
PREFIX = "evt_"


def parts_of(url: str, schemes: Collection[str]) -> SplitResult | None:
    """The parts of a URL of one of the schemes where one can connect to; None for any other."""
    try:
        parts = urlsplit(url)
        reachable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if reachable else None


def check(url: str) -> str:
    """The URL itself; raises ConnectionFailed when it cannot be a WebSocket endpoint's."""
    parts = parts_of(url, SCHEMES)
    if parts is None or parts.fragment:
        raise ConnectionFailed(
            f"{url!r} is not a WebSocket URL; write ws://HOST:PORT/PATH or wss://…",
            code="INVALID_URL",
        )
    return url


def shown(url: str) -> str:
    """The URL as it may be logged: a query string, or a user's name, may hold a token."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def number_of(since: str | int) -> int:
    """``"evt_12"``, ``"12"`` or 12 -> 12; raises ConnectionFailed for what is no event's id."""
    text = str(since).removeprefix(PREFIX)
    if isinstance(since, bool) or not (text.isascii() and text.isdecimal()):
        raise ConnectionFailed(
            f"since = {since!r} is no event's id; write evt_<n>, n from 0", code="INVALID_SINCE"
        )
    return int(text)


def split_items(text: str) -> list[str]:
    """The items of a comma-separated subscription list, blanks dropped."""
    return [item for item in (part.strip() for part in text.split(",")) if item]


def parameter(url: str, name: str) -> str | None:
    """What a URL's own query string says of a parameter, or None when it does not name it."""
    for key, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if key == name:
            return value
    return None


def asked_for(url: str) -> list[str] | None:
    """The subscriptions a URL's own query string names, or None when it names none."""
    text = parameter(url, "subscriptions")
    return None if text is None else split_items(text)


def with_parameters(
    url: str, parameters: dict[str, str | None], without: tuple[str, ...] = ()
) -> str:
    """The URL asking for these, in place of what it asked for; None leaves one as it is.

    Those `without` which it shall be are left out. All other parts of the query
    string stay untouched, byte for byte.
    """
    wanted = {name: value for name, value in parameters.items() if value is not None}
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if pair]
    kept = [pair for pair in pairs if pair.partition("=")[0] not in (*wanted, *without)]
    asked = [f"{name}={quote(value, safe=READABLE)}" for name, value in wanted.items()]
    if not wanted and len(kept) == len(pairs):
        return url
    return urlunsplit(parts._replace(query="&".join([*kept, *asked])))
