"""What one session is subscribed to, and the envelope it comes in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from fastrouter.core.kinds import MARKET_KINDS
from fastrouter.core.leaves import glob_match
from fastrouter.errors import ErrorCode, MessageError
from fastrouter.session.subscriptions import Subscription

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect
    from fastrouter.core.outbox import Outbox
    from fastrouter.session.entitlement import Entitlement

__all__ = ["Holding"]

Pattern = tuple[str, str]  # symbol pattern, event type


class Holding:
    """The subscriptions of one session; its outbox has the same. `limit` 0 is none."""

    __slots__ = ("_limit", "_moved", "_outbox", "_second", "entitlement", "paused", "texts")

    def __init__(self, outbox: Outbox, limit: int) -> None:
        self._outbox = outbox
        self._limit = limit
        self._moved: frozenset[str] = frozenset()  # event types that come in `_second`
        self._second: Dialect | None = None
        self.entitlement: Entitlement | None = None  # None: all that there is
        self.texts: dict[Pattern, str] = {}  # as they were named
        self.paused = False  # no market data for now

    @property
    def names(self) -> list[str]:
        """All now held, as they were named."""
        return list(self.texts.values())

    @property
    def moved(self) -> frozenset[str]:
        """Event types that come in another dialect."""
        return self._moved

    def allowed(self, items: list[Subscription]) -> list[Subscription]:
        """The same items; MessageError for too many, or one that the token does not grant."""
        total = len(self.texts.keys() | {item.pattern for item in items})
        if self._limit and total > self._limit:
            raise MessageError(
                f"{total} subscriptions; allowed: {self._limit}", code=ErrorCode.LIMIT_EXCEEDED
            )
        for item in items:
            if not self._may(item):
                raise _forbidden(item.text)
        return items

    def granted(self, items: Iterable[Subscription]) -> list[Subscription]:
        """The items as far as the token grants them."""
        if self.entitlement is None:
            return list(items)
        return self.entitlement.narrow(items)

    def add(self, items: Collection[Subscription]) -> None:
        """Subscribe to all of them."""
        patterns = [item.pattern for item in items]
        for item in items:
            self.texts.setdefault(item.pattern, item.text)
        self._subscribe(patterns)

    def remove(self, items: Iterable[Subscription]) -> None:
        """Hold them no more, if they are held."""
        self._drop([item.pattern for item in items])

    def narrow(self, entitlement: Entitlement | None) -> MessageError | None:
        """Another token: hold no more what that one does not grant; names the first, if any."""
        self.entitlement = entitlement
        lost = [pattern for pattern in self.texts if not self._may(Subscription("", *pattern))]
        if not lost:
            return None
        error = _forbidden(self.texts[lost[0]])
        self._drop(lost)
        return error

    def move(self, event_types: Collection[str], dialect: Dialect) -> None:
        """From here on these come in another dialect, too, those held and those to come.

        It is the same one each time.
        """
        fresh = frozenset(event_types) - self._moved
        moved = [pattern for pattern in self.texts if pattern[1] in fresh]
        self._outbox.subscribe(moved, dialect)
        self._outbox.unsubscribe(moved)
        self._moved, self._second = self._moved | fresh, dialect

    def pause(self) -> None:
        """No market data until `unpause`; what is subscribed to meanwhile waits, too.

        Nothing makes up for candles that close meanwhile.
        """
        if not self.paused:
            self.paused = True
            self._outbox.unsubscribe(self._market)

    def unpause(self) -> None:
        """Market data again, first of all its snapshots."""
        if self.paused:
            self.paused = False
            self._outbox.subscribe(self._market)

    @property
    def _market(self) -> list[Pattern]:
        return [pattern for pattern in self.texts if _is_market(pattern)]

    def matches(self, symbol: str, event_type: str) -> bool:
        """Whether this topic is held."""
        return (symbol, event_type) in self.texts or any(
            event_type == kind and glob_match(pattern, symbol) for pattern, kind in self.texts
        )

    def _may(self, item: Subscription) -> bool:
        return self.entitlement is None or self.entitlement.covers(item)

    def _subscribe(self, patterns: list[Pattern]) -> None:
        own, moved = self._apart(patterns)
        if self.paused:
            own = [pattern for pattern in own if not _is_market(pattern)]
        self._outbox.subscribe(own)
        if moved:
            self._outbox.subscribe(moved, self._second)

    def _drop(self, patterns: list[Pattern]) -> None:
        own, moved = self._apart(patterns)
        self._outbox.unsubscribe(own)
        if moved:
            self._outbox.unsubscribe(moved, self._second)
        for pattern in patterns:
            self.texts.pop(pattern, None)

    def _apart(self, patterns: list[Pattern]) -> tuple[list[Pattern], list[Pattern]]:
        """Those in the session's own dialect, and those in the second."""
        moved = [pattern for pattern in patterns if pattern[1] in self._moved]
        return [pattern for pattern in patterns if pattern[1] not in self._moved], moved


def _is_market(pattern: Pattern) -> bool:
    return pattern[1].partition("@")[0] in MARKET_KINDS


def _forbidden(item: str) -> MessageError:
    return MessageError(
        f"subscription {item[:200]!r} is not covered by the token", code=ErrorCode.FORBIDDEN
    )
