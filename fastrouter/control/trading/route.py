"""How the trading API's routes refuse parameters that cannot be: with 422, as Alpaca does."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from fastrouter.control.problem import wrong_parameters
from fastrouter.control.trading.refusal import problem_of

__all__ = ["routes"]


class Route(APIRoute):
    """Elsewhere such a request is a 400."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def judged(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                raise problem_of("INVALID_ORDER", wrong_parameters(error)) from None

        return judged


def routes() -> APIRouter:
    """A router of such."""
    return APIRouter(route_class=Route)
