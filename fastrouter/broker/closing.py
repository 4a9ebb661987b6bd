"""Closing what a strategy holds: because somebody asks for it, or because it lost too much."""

from __future__ import annotations

from decimal import Decimal

from .change import Draft
from .exchange import Exchange
from .intake import Intake
from .ledger import Ledger
from .money import text
from .orders import Orders
from .payloads import risk_event
from .position import Position
from .request import Request
from .risk import Breach, Guard

__all__ = ["Closing"]


class Closing:
    """Makes closing orders."""

    __slots__ = ("_exchange", "_guard", "_intake", "_ledger", "_orders")

    def __init__(
        self, orders: Orders, ledger: Ledger, guard: Guard, exchange: Exchange, intake: Intake
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._guard = guard
        self._exchange = exchange
        self._intake = intake

    def close(
        self,
        share: Position,
        now: int,
        known_at: int | None,
        draft: Draft,
        code: str | None = None,
    ) -> None:
        """Cancel what holds the share, then order its opposite; no limit refuses that."""
        for order in self._orders.open_of(share.symbol, share.strategy_id):
            self._exchange.end(order, "canceled", now, draft, "CLOSING", "its position is closed")
        self.reduce(share, abs(share.qty), now, known_at, draft, code)

    def reduce(
        self,
        share: Position,
        quantity: Decimal,
        now: int,
        known_at: int | None,
        draft: Draft,
        code: str | None = None,
    ) -> None:
        """Order the opposite of some of the share; no limit refuses that."""
        request = Request(
            symbol=share.symbol,
            side="sell" if share.qty > 0 else "buy",
            type="market",
            time_in_force="gtc",
            qty=quantity,
            notional=None,
            limit_price=None,
            stop_price=None,
            client_order_id="",
            strategy_id=share.strategy_id,
        )
        order = self._intake.made(request, now, known_at, closing=share)._replace(code=code)
        self._intake.admit(order, None, now, draft)

    def stop_losses(self, symbol: str, now: int, known_at: int | None, draft: Draft) -> None:
        """Close what lost more than its strategy's limit allows, unless it is being closed."""
        for _, share in sorted(self._ledger.holdings.get(symbol, {}).items()):
            most = self._guard.of(share.strategy_id).stop_loss_percentage
            if most is None or -share.unrealised < most * abs(share.cost):
                continue
            if any(one.closing for one in self._orders.open_of(symbol, share.strategy_id)):
                continue
            limit, loss = most * abs(share.cost), -share.unrealised
            breach = Breach(
                "stopLossPercentage",
                "STOP_LOSS",
                f"the position lost {text(loss)}; allowed: below {text(limit)}",
                limit,
                loss,
                share.strategy_id,
                symbol,
                "ERROR",
            )
            draft.event("risk", risk_event(self._ledger.account, breach))
            self.close(share, now, known_at, draft, breach.code)
