"""The trading API, in the shape of Alpaca's Trading API v2, over any desk.

::

    POST   /v2/orders                          submit: market, limit, stop, stop_limit
    GET    /v2/orders                          list; ?status= &limit= &after= &until= &direction= …
    DELETE /v2/orders                          cancel all: 207
    GET    /v2/orders/{order_id}               one; also /v2/orders:by_client_order_id
    PATCH  /v2/orders/{order_id}               replace
    DELETE /v2/orders/{order_id}               cancel: 204
    GET    /v2/positions                       all; DELETE closes all: 207
    GET    /v2/positions/{symbol_or_asset_id}  one; DELETE closes it; ?qty= &percentage=
    GET    /v2/account
    GET    /v2/clock
    GET    /v2/assets                          and /v2/assets/{symbol_or_asset_id}
    POST   /v1/signals                         publish a signal: 202

The same routes are there three times: as they stand for the account, under
``/v1/strategies/{strategy_id}`` for what is that strategy's, and under
``/v1/runs/{run_id}`` for a backtest's account.

Symbols are taken with and without their asset-class prefix, with a slash (``BTC/USD``), and
as asset ids; they are answered as Alpaca writes them, without. Answers are made by orjson,
not by their models: those are what OpenAPI shows, and what tests hold the answers against.
"""

from __future__ import annotations

from fastrouter.control.trading.mounts import trading

__all__ = ["trading"]
