"""Feeds: where events come from.

A feed is a file here and a row in `FEEDS`. Its attribute is called with what follows the
name in the spec, if anything does (a URL stays whole), and with the options as keywords; what it
returns is a `Feed`. Nothing of a feed is imported before it is asked for.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any, cast

from ..errors import FeedError
from .feed import Feed, Publisher

__all__ = ["FEEDS", "Feed", "Publisher", "open_feed"]

FEEDS: dict[str, str] = {
    "synthetic": "fastrouter.feeds.synthetic:SyntheticFeed",
    "replay": "fastrouter.feeds.replay:ReplayFeed",
    "ws": "fastrouter.feeds.upstream:UpstreamFeed",
    "wss": "fastrouter.feeds.upstream:UpstreamFeed",
    "nng": "fastrouter.feeds.nng:NngFeed",
}
"""Name -> "module:attribute"; a URL's scheme is its feed's name."""

URLS = frozenset({"ws", "wss"})
FORMS = ("synthetic", "replay:FILE", "ws://HOST:PORT/PATH", "wss://…", "nng:tcp://HOST:PORT")


def open_feed(spec: str, **options: Any) -> Feed:
    """Build the feed that ``spec`` names: ``synthetic``, ``replay:FILE`` or ``ws://HOST:PORT``.

    Raises FeedError for an unknown name, for an option the feed does not have and for
    whatever the feed itself refuses.
    """
    name, _, target = spec.partition(":")
    if name not in FEEDS:
        raise FeedError(f"feed {spec!r} is not known; allowed: {', '.join(FORMS)}")
    module, attribute = FEEDS[name].split(":")
    factory = getattr(import_module(module), attribute)
    target = spec if name in URLS else target
    arguments = (target,) if target else ()
    signature = inspect.signature(factory)
    try:
        signature.bind(*arguments, **options)
    except TypeError as error:
        known = [p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]
        raise FeedError(f"feed {spec!r}: {error}; options: {', '.join(known)}") from None
    return cast(Feed, factory(*arguments, **options))
