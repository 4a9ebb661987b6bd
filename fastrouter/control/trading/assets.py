"""The routes of assets: the symbols that can be traded."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from fastrouter.broker import Broker
from fastrouter.control.trading.access import Found
from fastrouter.control.trading.answer import answer, refusals
from fastrouter.control.trading.refusal import refusing
from fastrouter.control.trading.route import routes
from fastrouter.control.trading.slices import slices
from fastrouter.control.trading.symbols import shown_symbol, symbol_of
from fastrouter.core.asset import asset_of

__all__ = ["router"]

SLICE = 100  # assets, of which half a millisecond is made

Status = Literal["active", "inactive", "all"]
AssetClass = Literal["us_equity", "us_option", "crypto", "crypto_perp"]


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


router = routes()


@router.get("/v2/assets", response_model=list[AssetView], responses=refusals())
async def every(
    access: Found,
    status: Status = "active",
    asset_class: AssetClass | None = None,
    exchange: str | None = None,
    attributes: str | None = None,
) -> Response:
    """Every symbol there is: all are active, and none has attributes."""
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
