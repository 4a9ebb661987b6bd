"""The URL a client opens: the server's, with the subscriptions in its query string."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from fastrouter.errors import ConnectionFailed

__all__ = ["asked_for", "check", "split_items", "with_subscriptions"]

KEY = "subscriptions"
READABLE = ":,*@"  # may stand in a query string as they are (RFC 3986, 3.4)
SCHEMES = ("ws", "wss")


def check(url: str) -> str:
    """The URL itself; raises ConnectionFailed when it cannot be a WebSocket endpoint's."""
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed or parts.fragment:
        raise ConnectionFailed(
            f"{url!r} is not a WebSocket URL; write ws://HOST:PORT/PATH or wss://…",
            code="INVALID_URL",
        )
    return url


def split_items(text: str) -> list[str]:
    """The items of a comma-separated subscription list, blanks dropped."""
    return [item for item in (part.strip() for part in text.split(",")) if item]


def asked_for(url: str) -> list[str] | None:
    """The subscriptions a URL's own query string names, or None when it names none."""
    for key, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if key == KEY:
            return split_items(value)
    return None


def with_subscriptions(url: str, items: list[str] | None) -> str:
    """The URL asking for these subscriptions; None leaves it as it is.

    All other parts of the query string stay untouched, byte for byte.
    """
    if items is None:
        return url
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != KEY]
    wanted = quote(",".join(items), safe=READABLE)
    return urlunsplit(parts._replace(query="&".join([*kept, f"{KEY}={wanted}"])))
