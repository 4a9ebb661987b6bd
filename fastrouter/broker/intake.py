"""From what is asked for to an order that is accepted, or rejected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from fastrouter.errors import OrderError

from .admission import Admission, Refusal
from .change import Draft
from .ledger import Ledger
from .market import Market
from .order import Order
from .orders import Orders
from .payloads import risk_event
from .position import Position
from .request import Request, refused
from .risk import Guard
from .rules import Rules

__all__ = ["Intake", "duplicate"]

#: what a replacement may change
CHANGEABLE = ("qty", "limit_price", "stop_price", "time_in_force", "client_order_id")


class Intake:
    """Makes orders of requests. Their ids follow from the account's seed and their number."""

    __slots__ = ("_guard", "_ledger", "_market", "_namespace", "_orders", "_rules", "admission")

    def __init__(
        self, orders: Orders, ledger: Ledger, guard: Guard, rules: Rules, market: Market
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._guard = guard
        self._rules = rules
        self._market = market
        self._namespace = UUID(ledger.account.seed)
        self.admission = Admission(orders, ledger, guard, rules)

    def known(self, request: Request) -> Order | None:
        """The order that was asked for so before. Raises OrderError, code DUPLICATE."""
        if not request.client_order_id:
            return None
        known = self._orders.of_client(request.client_order_id)
        if known is not None and _request_of(known) != request:
            raise duplicate(known)
        return known

    def changed(self, old: Order, fields: Mapping[str, Any]) -> Request:
        given = {name: value for name, value in fields.items() if value is not None}
        if not given:
            raise refused(f"nothing is to be replaced; allowed: {', '.join(CHANGEABLE)}")
        for name in given:
            if name not in CHANGEABLE:
                raise refused(f"{name} cannot be replaced; allowed: {', '.join(CHANGEABLE)}")
        if old.qty is None:
            raise refused("an order by notional cannot be replaced before it is met")
        asked = _request_of(old)._asdict() | {"notional": None, "client_order_id": None}
        return Request.parse(asked | {"qty": old.remaining or old.qty} | given)

    def made(
        self,
        request: Request,
        now: int,
        known_at: int | None,
        *,
        replaces: str | None = None,
        closing: Position | None = None,
    ) -> Order:
        """The order, not yet accepted; it has an id and its place in time.

        `closing`: the share that it closes, whose mark is its price when no other is known.
        """
        account = self._ledger.account
        number = account.sequence + 1
        self._ledger.account = account._replace(sequence=number)
        order_id = str(uuid5(self._namespace, str(number)))
        hold_price = self.admission.hold_price(request, self._market.last(request.symbol))
        if closing is not None and not hold_price:
            hold_price = closing.mark
        day = request.time_in_force == "day"
        return Order(
            id=order_id,
            number=number,
            **request._replace(client_order_id=request.client_order_id or order_id)._asdict(),
            status="pending_new",
            created_at=now,
            updated_at=now,
            submitted_at=now,
            known_at=known_at,
            expires_at=self._rules.next_session_end(now) if day else None,
            hold_price=hold_price,
            closing=closing is not None,
            replaces=replaces,
        )

    def admit(self, order: Order, refusal: Refusal | None, now: int, draft: Draft) -> None:
        """The order is accepted, or rejected for that reason."""
        if order.code is None:  # a stop loss was asked for by nobody
            draft.asked(order.id)
        if refusal is None:
            order = order.moved("accepted", now)
            self._guard.note(order)
            draft.accepted(order)
        else:
            order = order.moved("rejected", now, code=refusal.code, reason=refusal.message)
            if refusal.breach is not None:
                draft.event("risk", risk_event(self._ledger.account, refusal.breach))
        self._orders.put(order, draft)
        self._ledger.settle(self._ledger.account, draft)


def _request_of(order: Order) -> Request:
    """What was asked for with it."""
    return Request(
        **{name: getattr(order, name) for name in Request._fields if name != "qty"},
        qty=None if order.notional is not None else order.qty,
    )


def duplicate(known: Order) -> OrderError:
    return OrderError(
        f"client_order_id {known.client_order_id} is that of order {known.id}, which was another",
        code="DUPLICATE",
    )
