"""The routes of assets: the symbols that can be traded."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from fastrouter.broker import Broker
from fastrouter.control.trading.access import Found
from fastrouter.control.trading.answer import answer, refusals
from fastrouter.control.trading.refusal import problem_of, refusing
from fastrouter.control.trading.slices import slices
from fastrouter.control.trading.symbols import shown_symbol, symbol_of
from fastrouter.core.asset import asset_of
from fastrouter.models.fields import shown

__all__ = ["router"]

SLICE = 100  # assets, of which half a millisecond is made

#: parameter -> Alpaca's words; what is none of them is refused as Alpaca does, with 422
WORDS = {
    "status": ("active", "inactive", "all"),
    "asset_class": ("us_equity", "us_option", "crypto", "crypto_perp"),
}


def _one_of(name: str) -> Any:
    """What OpenAPI shows of the parameter."""
    return Query(json_schema_extra={"enum": [*WORDS[name]]})


def _check(name: str, value: str) -> None:
    """Raises Problem that names what is allowed."""
    if value not in WORDS[name]:
        allowed = ", ".join(WORDS[name])
        raise problem_of("INVALID_ORDER", f"{name} is {shown(value)}; allowed: {allowed}")


class AssetView(BaseModel):
    """`name` is the symbol in events, with its prefix."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    asset_class: str = Field(alias="class")
    exchange: str
    symbol: str
    name: str
    status: str
    tradable: bool
    marginable: bool
    shortable: bool
    easy_to_borrow: bool
    fractionable: bool
    attributes: list[str]


router = APIRouter()


@router.get("/v2/assets", response_model=list[AssetView], responses=refusals())
async def every(
    access: Found,
    status: Annotated[str, _one_of("status")] = "active",
    asset_class: Annotated[str | None, _one_of("asset_class")] = None,
    exchange: str | None = None,
    attributes: str | None = None,
) -> Response:
    """Every symbol there is: all are active, and none has attributes."""
    _check("status", status)
    if asset_class is not None:
        _check("asset_class", asset_class)
    broker = access.desk.broker
    if status == "inactive" or attributes:
        return answer([])
    views: list[dict[str, Any]] = []
    async for some in slices(broker.market.symbols(), SLICE):
        views += [asset_view(broker, symbol) for symbol in some]
    return answer(
        [
            view
            for view in views
            if asset_class in (None, view["class"]) and exchange in (None, view["exchange"])
        ]
    )


@router.get("/v2/assets/{symbol_or_asset_id:path}", response_model=AssetView, responses=refusals())
async def one(access: Found, symbol_or_asset_id: str) -> Response:
    """One symbol."""
    broker = access.desk.broker
    with refusing():
        return answer(asset_view(broker, symbol_of(broker.market, symbol_or_asset_id)))


def asset_view(broker: Broker, symbol: str) -> dict[str, Any]:
    """The fields of `AssetView`."""
    asset = asset_of(symbol)
    return {
        "id": asset.id,
        "class": asset.asset_class,
        "exchange": asset.exchange,
        "symbol": shown_symbol(broker, symbol),
        "name": symbol,
        "status": "active",
        "tradable": True,
        "marginable": False,
        "shortable": broker.rules.shorting,
        "easy_to_borrow": broker.rules.shorting,
        "fractionable": True,
        "attributes": [],
    }
