"""Orders that are met as they are accepted, by the last quote of their symbol: `Rules.at_once`."""

from __future__ import annotations

from collections.abc import Sequence

from .change import Draft
from .closing import Closing
from .day_loss import DayLoss
from .exchange import Exchange
from .market import Market
from .matching import QuoteView

__all__ = ["Arrival"]


class Arrival:
    """Knows what orders left of each symbol's last quote."""

    __slots__ = ("_closing", "_day_loss", "_exchange", "_market", "_quotes")

    def __init__(
        self, market: Market, day_loss: DayLoss, exchange: Exchange, closing: Closing
    ) -> None:
        self._market = market
        self._day_loss = day_loss
        self._exchange = exchange
        self._closing = closing
        self._quotes: dict[str, QuoteView] = {}

    def quoted(self, symbol: str, view: QuoteView) -> None:
        """This quote is the symbol's last, nothing of it taken."""
        self._quotes[symbol] = view

    def succeed(self, before: Arrival) -> None:
        """What was taken of the last quotes there is taken here."""
        self._quotes.update(before._quotes)

    def meet(self, now: int, known_at: int | None, draft: Draft) -> None:
        """The orders that the draft has accepted meet what is left of their last quotes.

        A stop loss that this brings about is closed by the same quote. Without a quote they wait.
        """
        for symbol, order_ids in draft.arrivals().items():
            view = self._left(symbol)
            if view is None:
                continue
            self._arrive(symbol, order_ids, view, now, draft)
            self._closing.stop_losses(symbol, now, known_at, draft)
            self.meet_closing(symbol, view, now, draft)

    def meet_closing(self, symbol: str, view: QuoteView, now: int, draft: Draft) -> None:
        """The stop losses that the quote has brought about meet what is left of it."""
        order_ids = draft.arrivals().get(symbol)
        if order_ids:
            self._arrive(symbol, order_ids, view, now, draft)

    def _arrive(
        self, symbol: str, order_ids: Sequence[str], view: QuoteView, now: int, draft: Draft
    ) -> None:
        self._exchange.arrive(order_ids, view, now, draft)
        if self._day_loss.mark(symbol, view):
            self._day_loss.tell(draft)

    def _left(self, symbol: str) -> QuoteView | None:
        quote = self._market.quote(symbol)
        if quote is None:
            return None
        view = self._quotes.get(symbol)
        if view is None or view.quote != quote:  # it came while nobody watched
            view = self._quotes[symbol] = QuoteView(quote)
        return view
