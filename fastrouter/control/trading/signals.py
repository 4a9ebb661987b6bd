"""The route of signals."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from fastrouter.broker import Market
from fastrouter.control.desk import Desk
from fastrouter.control.trading.access import Found, heard
from fastrouter.control.trading.answer import answer, body_of, refusals
from fastrouter.control.trading.refusal import refusing
from fastrouter.errors import EventError, OrderError
from fastrouter.models import validate
from fastrouter.models.fields import shown
from fastrouter.models.signal import Signal

__all__ = ["router"]

MOST_BYTES = 1 << 16  # of a signal


class Published(BaseModel):
    """The signal's event."""

    id: str = Field(examples=["evt_7"])


router = APIRouter()


@router.post(
    "/v1/signals",
    response_model=Published,
    status_code=HTTPStatus.ACCEPTED,
    responses=refusals(body=True),
    openapi_extra=body_of(Signal, "id"),
)
async def publish(request: Request, access: Found) -> Response:
    """Publish a signal. One without an `id` gets one that follows from what it says and when."""
    body = await heard(request, access)
    with refusing():
        payload = _payload(body, access.strategy_id, access.desk)
        access.check(payload.get("strategy_id", ""))
        event_id = access.desk.signal(payload)
    return answer({"id": event_id}, HTTPStatus.ACCEPTED)


def _payload(body: Any, strategy_id: str, desk: Desk) -> dict[str, Any]:
    """The signal as it is routed. Raises EventError."""
    if not isinstance(body, dict):
        raise EventError(f"signal is {shown(body)}; allowed: an object")
    said = {name: value for name, value in body.items() if value is not None}
    if strategy_id and said.setdefault("strategy_id", strategy_id) != strategy_id:
        raise EventError(
            f"strategy_id is {shown(said['strategy_id'])}; allowed here: {shown(strategy_id)}"
        )
    if isinstance(said.get("symbol"), str):
        said["symbol"] = _symbol(desk.broker.market, said["symbol"])
    said.setdefault("id", str(uuid5(NAMESPACE_URL, f"fastrouter:signal:{desk.now()}:{said!r}")))
    payload = validate("signal", said)
    _check_size(payload)
    return payload


def _symbol(market: Market, symbol: str) -> str:
    """With its prefix; signals may be about symbols that nobody trades here."""
    try:
        return market.resolve(symbol)
    except OrderError:
        return symbol


def _check_size(payload: dict[str, Any]) -> None:
    try:
        size = len(orjson.dumps([[[[payload]]]]))  # as deep as an envelope
    except TypeError as error:
        raise EventError(f"signal cannot be sent as JSON: {error}") from None
    if size > MOST_BYTES:
        raise EventError(f"signal of {size} bytes; allowed: {MOST_BYTES}")
