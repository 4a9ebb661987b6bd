"""The routes of positions."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from fastapi import Response
from pydantic import BaseModel

from fastrouter.broker import Broker, Change, Position
from fastrouter.broker.money import exact, lots
from fastrouter.control.trading.access import Found, shown
from fastrouter.control.trading.answer import answer, refusals
from fastrouter.control.trading.order_view import OrderView, order_view, order_views
from fastrouter.control.trading.position_view import PositionView, position_view
from fastrouter.control.trading.refusal import refusing
from fastrouter.control.trading.route import routes
from fastrouter.control.trading.symbols import symbol_of
from fastrouter.errors import OrderError
from fastrouter.models.fields import decimal_text
from fastrouter.models.fields import shown as said

__all__ = ["router"]

PATH = "/v2/positions/{symbol_or_asset_id:path}"


class ClosedView(BaseModel):
    """One of the positions that are being closed, and by which order."""

    symbol: str
    status: int
    order_id: str
    body: OrderView


router = routes()


@router.get("/v2/positions", response_model=list[PositionView], responses=refusals())
async def every(access: Found) -> Response:
    """All open positions."""
    only = access.only

    def view(broker: Broker) -> list[dict[str, Any]]:
        held = sorted(_held(broker, only), key=lambda position: position.symbol)
        return [position_view(broker, one, only) for one in held]

    return await shown(access, view)


@router.delete(
    "/v2/positions",
    response_model=list[ClosedView],
    status_code=HTTPStatus.MULTI_STATUS,
    responses=refusals(),
)
async def close_all(access: Found, cancel_orders: bool = False) -> Response:
    """Close every position by a market order; `cancel_orders`: and cancel every order."""
    desk, only = access.desk, access.only

    def call(broker: Broker, now: int) -> Change:
        if not cancel_orders:
            return broker.close_all(now, strategy_id=only)
        canceling = broker.cancel_all(now, strategy_id=only)
        closing = broker.close_all(now, strategy_id=only)
        rows, events = canceling.rows + closing.rows, canceling.events + closing.events
        return Change(rows, events, closing.orders)

    with refusing():
        change = await desk.change(call)
    views = await order_views(desk.broker, change.orders)
    return answer([_closed(view) for view in views], HTTPStatus.MULTI_STATUS)


@router.get(PATH, response_model=PositionView, responses=refusals())
async def one(access: Found, symbol_or_asset_id: str) -> Response:
    """The open position in a symbol."""
    only = access.only

    def view(broker: Broker) -> dict[str, Any]:
        position = _position(broker, symbol_of(broker.market, symbol_or_asset_id), only)
        return position_view(broker, position, only)

    return await shown(access, view)


@router.delete(PATH, response_model=OrderView, responses=refusals())
async def close(
    access: Found,
    symbol_or_asset_id: str,
    qty: str | None = None,
    percentage: str | None = None,
) -> Response:
    """Close a position, or so much of it, by a market order.

    When several strategies hold some there is an order for each; the largest is answered.
    """
    desk, only = access.desk, access.only

    def call(broker: Broker, now: int) -> Change:
        symbol = symbol_of(broker.market, symbol_or_asset_id)
        part: Decimal | str | None = qty
        if percentage is not None:
            part = _portion(_position(broker, symbol, only), qty, percentage)
        return broker.close_position(symbol, now, strategy_id=only, qty=part)

    with refusing():
        change = await desk.change(call)
    largest = max(change.orders, key=lambda order: order.qty or 0)
    return answer(order_view(desk.broker, largest))


def _held(broker: Broker, strategy_id: str | None) -> Iterable[Position]:
    """The account's positions, or one strategy's shares."""
    ledger = broker.ledger
    if strategy_id is None:
        return ledger.positions.values()
    return [held[strategy_id] for held in ledger.holdings.values() if strategy_id in held]


def _position(broker: Broker, symbol: str, strategy_id: str | None) -> Position:
    """Raises OrderError, code POSITION_NOT_FOUND."""
    ledger = broker.ledger
    if strategy_id is None:
        found = ledger.positions.get(symbol)
    else:
        found = ledger.holding(symbol, strategy_id)
    if found is None:
        raise OrderError(f"no position in {symbol}", code="POSITION_NOT_FOUND")
    return found


@exact
def _portion(position: Position, qty: str | None, percentage: str) -> Decimal | None:
    """So many percent of what is held, down to 9 decimals; None: all of it.

    Raises OrderError, code INVALID_ORDER; for a `qty` too.
    """
    if qty is not None:
        raise _refused("qty and percentage are given; allowed: one of them")
    try:
        percent = Decimal(decimal_text(percentage))
    except ValueError as error:
        raise _refused(f"percentage: {error}") from None
    if not 0 < percent <= 100:
        raise _refused(f"percentage is {said(percentage)}; allowed: above 0, up to 100")
    if percent == 100:
        return None
    part = lots(abs(position.qty) * percent.scaleb(-2))
    if not part:
        raise _refused(f"percentage is {said(percentage)}, which comes to nothing of the position")
    return part


def _closed(order: dict[str, Any]) -> dict[str, Any]:
    """The fields of `ClosedView`, by the order's."""
    return {
        "symbol": order["symbol"],
        "status": HTTPStatus.OK.value,
        "order_id": order["id"],
        "body": order,
    }


def _refused(message: str) -> OrderError:
    return OrderError(message, code="INVALID_ORDER")
