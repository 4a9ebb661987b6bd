"""How the configured feed is opened and supplied."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import structlog

from fastrouter import config
from fastrouter.client.address import shown
from fastrouter.errors import ConfigError
from fastrouter.feeds import Feed, open_feed
from fastrouter.feeds.progress import Progress, terminal_progress
from fastrouter.feeds.supply import Supply
from fastrouter.journal.bookmark import Bookmark
from fastrouter.journal.journal import Journal

__all__ = ["bookmark_of", "feed_of", "supply_of"]

logger = structlog.stdlib.get_logger("fastrouter.app")

#: Feeds that can go on from a position.
UPSTREAMS = frozenset({"ws", "wss"})


def feed_of(
    feed: config.Feed, progress: Progress | None = None, bookmark: Bookmark | None = None
) -> Feed:
    """The configured feed; one that ends tells ``progress``. Raises FeedError or ConfigError.

    An upstream goes on from the bookmark.
    """
    options = FEED_OPTIONS.get(feed.name)
    spec, arguments = options(feed, progress) if options is not None else (feed.spec, {})
    if bookmark is not None:
        arguments["bookmark"] = bookmark
    return open_feed(spec, **arguments)


def bookmark_of(feed: config.Feed, journal: Journal) -> Bookmark | None:
    """How far the configured upstream was published; None for a feed that is no upstream."""
    return journal.bookmark(shown(feed.spec)) if feed.name in UPSTREAMS else None


def supply_of(settings: config.Settings, bookmark: Bookmark | None = None) -> Supply:
    """The configured feed, opened again and again when that is configured; its runs are logged."""
    progress = terminal_progress() if settings.log.format == "console" else None
    return Supply(
        lambda: feed_of(settings.feed, progress, bookmark),
        retry_seconds=settings.feed.retry_seconds,
        report=_report,
    )


def _report(feed: Feed, outcome: str, seconds: float) -> None:
    """Log how a run of a feed went."""
    logger.info(
        outcome,
        feed=feed.describe(),
        published=feed.published,
        bad_rows=feed.bad_rows,
        seconds=round(seconds, 3),
    )


# ---- its spec and options, by name


def _synthetic(feed: config.Feed, progress: Progress | None) -> tuple[str, dict[str, Any]]:
    chosen = feed.synthetic
    return feed.spec, {
        "symbols": chosen.symbols,
        "rate": _bounded(chosen.rate),
        "seed": chosen.seed,
    }


def _replay(feed: config.Feed, progress: Progress | None) -> tuple[str, dict[str, Any]]:
    chosen = feed.replay
    file = feed.spec.partition(":")[2] or chosen.file
    if not file:
        raise ConfigError(
            "feed.spec = 'replay' names no file; write replay:FILE, or set feed.replay.file"
        )
    options = {
        "kind": None if chosen.kind == "auto" else chosen.kind,
        "symbol": chosen.symbol,
        "timeframe": chosen.timeframe,
        "columns": chosen.columns or None,
        "speed": _bounded(chosen.speed),
        "loop": chosen.loop,
        "strict": chosen.strict,
        "progress": progress,
    }
    return f"replay:{file}", options


def _upstream(feed: config.Feed, progress: Progress | None) -> tuple[str, dict[str, Any]]:
    chosen = feed.upstream
    return feed.spec, {
        "subscriptions": chosen.subscriptions,
        "token": None if chosen.token is None else chosen.token.get_secret_value(),
        "conflate": chosen.conflate,
        "cafile": chosen.cafile,
        "idle": chosen.idle_seconds,
        "backoff": (chosen.reconnect_seconds, chosen.reconnect_longest_seconds),
    }


def _nng(feed: config.Feed, progress: Progress | None) -> tuple[str, dict[str, Any]]:
    return feed.spec, {"topics": feed.nng.topics}


def _bounded(value: float) -> float | None:
    """None, which feeds take for "as fast as possible", instead of infinity."""
    return None if math.isinf(value) else value


FEED_OPTIONS: dict[str, Callable[[config.Feed, Progress | None], tuple[str, dict[str, Any]]]] = {
    "synthetic": _synthetic,
    "replay": _replay,
    "ws": _upstream,
    "wss": _upstream,
    "nng": _nng,
}
