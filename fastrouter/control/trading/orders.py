"""The routes of orders."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel

from fastrouter.broker import Broker, Order
from fastrouter.control.trading.access import Found, heard, shown
from fastrouter.control.trading.answer import answer, body_of, refusals
from fastrouter.control.trading.once import Once
from fastrouter.control.trading.order_body import (
    NewOrder,
    Replacement,
    order_fields,
    replacement_fields,
)
from fastrouter.control.trading.order_query import OrderQuery, listed
from fastrouter.control.trading.order_view import OrderView, order_view, order_views
from fastrouter.control.trading.refusal import check_accepted, refusing
from fastrouter.control.trading.route import routes
from fastrouter.errors import OrderError

__all__ = ["router"]


class CanceledView(BaseModel):
    """One of the orders that were canceled."""

    id: str
    status: int
    body: OrderView


router = routes()


@router.post(
    "/v2/orders",
    response_model=OrderView,
    responses=refusals(body=True),
    openapi_extra=body_of(NewOrder),
)
async def submit(request: Request, access: Found) -> Response:
    """Submit an order. The same `client_order_id` and body again: the same order.

    In a run the same header `Idempotency-Key` and body, without a `client_order_id`, too.
    """
    body = await heard(request, access)
    desk = access.desk
    once = Once(request, desk)
    with refusing():
        fields = order_fields(body, access.strategy_id, desk.broker.market)
        access.check(_strategy(fields))
        change = await desk.change(
            lambda broker, now: once.note(broker.submit(once.known(fields), now))
        )
    check_accepted(change.order)
    return answer(order_view(desk.broker, change.order))


@router.get("/v2/orders", response_model=list[OrderView], responses=refusals())
async def some(access: Found, query: Annotated[OrderQuery, Query()]) -> Response:
    """Orders, the newest first. Those that ended are forgotten some time."""

    async def view(broker: Broker) -> list[dict[str, Any]]:
        return await order_views(broker, await listed(broker, query, access.only))

    return await shown(access, view)


@router.delete(
    "/v2/orders",
    response_model=list[CanceledView],
    status_code=HTTPStatus.MULTI_STATUS,
    responses=refusals(),
)
async def cancel_all(access: Found) -> Response:
    """Cancel every open order."""
    desk, only = access.desk, access.only
    with refusing():
        change = await desk.change(lambda b, now: b.cancel_all(now, strategy_id=only))
    views = await order_views(desk.broker, change.orders)
    return answer(
        [{"id": view["id"], "status": HTTPStatus.OK.value, "body": view} for view in views],
        HTTPStatus.MULTI_STATUS,
    )


@router.get("/v2/orders:by_client_order_id", response_model=OrderView, responses=refusals())
async def by_client_order_id(access: Found, client_order_id: str) -> Response:
    """The order that was submitted with this id."""

    def view(broker: Broker) -> dict[str, Any]:
        order = broker.orders.of_client(client_order_id)
        if order is None or access.only not in (None, order.strategy_id):
            raise OrderError(
                f"client_order_id {client_order_id} is not known", code="ORDER_NOT_FOUND"
            )
        return order_view(broker, order)

    return await shown(access, view)


@router.get("/v2/orders/{order_id}", response_model=OrderView, responses=refusals())
async def one(access: Found, order_id: str, nested: bool = False) -> Response:
    """An order by its id."""
    return await shown(
        access, lambda broker: order_view(broker, _order(broker, order_id, access.only))
    )


@router.patch(
    "/v2/orders/{order_id}",
    response_model=OrderView,
    responses=refusals(body=True),
    openapi_extra=body_of(Replacement),
)
async def replace(request: Request, access: Found, order_id: str) -> Response:
    """Put another order in its place: `qty`, prices, time in force, `client_order_id`.

    In a run the same header `Idempotency-Key` and body again is the same order.
    """
    body = await heard(request, access)
    desk = access.desk
    with refusing():
        order = _order(desk.broker, order_id, access.only)
    access.check(order.strategy_id)
    once = Once(request, desk)
    with refusing():
        fields = replacement_fields(body)
        change = await desk.change(
            lambda broker, now: once.note(broker.replace(order_id, once.known(fields), now))
        )
    check_accepted(change.order)
    return answer(order_view(desk.broker, change.order))


@router.delete("/v2/orders/{order_id}", status_code=HTTPStatus.NO_CONTENT, responses=refusals())
async def cancel(access: Found, order_id: str) -> None:
    """Cancel an order."""
    with refusing():
        _order(access.desk.broker, order_id, access.only)
        await access.desk.change(lambda broker, now: broker.cancel(order_id, now))


def _order(broker: Broker, order_id: str, only: str | None) -> Order:
    """Raises OrderError for one that is not known, or another strategy's: ORDER_NOT_FOUND."""
    order = broker.orders.get(order_id)
    if only not in (None, order.strategy_id):
        raise OrderError(f"order {order_id} is not known", code="ORDER_NOT_FOUND")
    return order


def _strategy(fields: dict[str, Any]) -> str:
    """Whose order it would be; what is no text is the broker's to refuse."""
    strategy_id = fields.get("strategy_id", "")
    return strategy_id if isinstance(strategy_id, str) else ""
