"""What can be known of settings without serving."""

from __future__ import annotations

from fastrouter import config
from fastrouter.app.feeds import feed_of
from fastrouter.app.trading import terms_of
from fastrouter.app.verifier import verifier_of
from fastrouter.bus.nng import library
from fastrouter.control import brokers
from fastrouter.net.certificate import Certificate

__all__ = ["check"]


def check(settings: config.Settings) -> None:
    """Build what `serve` would, from files at most. Raises ConfigError or FeedError."""
    if settings.server.cert is not None:
        Certificate(settings.server.cert, settings.server.key or settings.server.cert)
    verifier_of(settings.auth)
    feed_of(settings.feed)
    brokers.load(settings.broker.kind)
    terms_of(settings.broker)
    if settings.bus.publish is not None or settings.bus.dial or settings.bus.listen:
        library()
