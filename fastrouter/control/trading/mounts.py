"""The places where the trading API is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from fastrouter.control.desks import Desks
from fastrouter.control.trading import account, assets, orders, positions, signals
from fastrouter.control.trading.access import let_in

__all__ = ["trading"]

PARTS = (orders.router, positions.router, account.router, assets.router, signals.router)

StrategyId = Annotated[str, Path(description="Whose orders and positions these are")]
RunId = Annotated[str, Path(description="A backtest's run, as `?run=` of its WebSocket names it")]


def trading(desks: Desks) -> APIRouter:
    """All of it, for an application that `answer_problems`."""

    # one for each place, since OpenAPI shows the parameters of its path by these
    async def of_account(request: Request) -> None:
        let_in(request, await desks.find(request))

    async def of_strategy(request: Request, strategy_id: StrategyId) -> None:
        let_in(request, await desks.find(request))

    async def of_run(request: Request, run_id: RunId) -> None:
        let_in(request, await desks.find(request))

    mounts: tuple[tuple[str, str, Callable[..., Awaitable[None]]], ...] = (
        ("account", "", of_account),
        ("strategy", "/v1/strategies/{strategy_id}", of_strategy),
        ("run", "/v1/runs/{run_id}", of_run),
    )
    found = APIRouter()
    for tag, prefix, find in mounts:
        for part in PARTS:
            found.include_router(part, prefix=prefix, tags=[tag], dependencies=[Depends(find)])
    return found
