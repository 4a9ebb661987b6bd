"""Orders are submitted past the framework: by the same function, behind the same guard.

The route is in the application all the same, which documents it and serves everything else. But
its layers take longer than the broker does, and the loop that waits for them delivers the market.
"""

from __future__ import annotations

import re
from http import HTTPMethod, HTTPStatus

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from fastrouter.control.desks import Desks
from fastrouter.control.problem import CRASH, Problem
from fastrouter.control.trading.orders import submit

__all__ = ["Express"]

PATH = re.compile("(?:/v1/(?:strategies/(?P<strategy_id>[^/]+)|runs/(?P<run_id>[^/]+)))?/v2/orders")


class Express:
    """Stands before an application of which `trading` is a part, with the same desks."""

    def __init__(self, app: ASGIApp, desks: Desks) -> None:
        self._app = app
        self._desks = desks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        found = PATH.fullmatch(scope["path"])
        if found is None or scope["method"] != HTTPMethod.POST:
            await self._app(scope, receive, send)
            return
        scope["path_params"] = {name: of for name, of in found.groupdict().items() if of}
        request = Request(scope, receive)
        try:
            answer = await submit(request, await self._desks.find(request))
        except Problem as problem:
            answer = problem.answer()
        except Exception:  # our own fault: uvicorn logs it
            await Problem(HTTPStatus.INTERNAL_SERVER_ERROR, CRASH).answer()(scope, receive, send)
            raise
        await answer(scope, receive, send)
