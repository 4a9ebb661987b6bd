"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Backoff"]


class Backoff:
    """Exponential backoff with jitter.

    Each `delay` lies between ``first`` seconds and a ceiling that starts at
    twice that and doubles up to ``last``: a thousand clients that lost one
    server come back spread out, not in step.
    """

    def __init__(self, first: float, last: float, random: Callable[[], float]) -> None:
        if not 0 < first <= last:
            raise ValueError(f"backoff needs 0 < first <= last seconds, not {first!r}, {last!r}")
        self._first = first
        self._last = last
        self._random = random
        self._ceiling = min(last, 2 * first)

    def delay(self, asked: float | None = None) -> float:
        """Seconds to wait now; the ceiling of the next call is twice as high.

        When the server ``asked`` for a time, that is it, but never more than
        ``last``; the server spreads its clients itself, so there is no jitter.
        0 is no time: who comes back at once, again and again, helps nobody.
        """
        if asked:
            return min(asked, self._last)
        ceiling = self._ceiling
        self._ceiling = min(self._last, ceiling * 2)
        return self._first + self._random() * (ceiling - self._first)

    def reset(self) -> None:
        """Start over: the last connection held."""
        self._ceiling = min(self._last, 2 * self._first)
