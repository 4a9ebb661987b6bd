"""The desk of a request, as routes ask for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from fastrouter.broker import Broker
from fastrouter.control.body import read_json
from fastrouter.control.desks import Access
from fastrouter.control.reading import read
from fastrouter.control.trading.answer import answer
from fastrouter.control.trading.refusal import refusing

__all__ = ["Found", "heard", "let_in", "shown"]


def let_in(request: Request, access: Access) -> None:
    """It was found that this is so."""
    request.state.access = access


async def _access(request: Request) -> Access:
    found: Access = request.state.access
    return found


#: a parameter of routes before which somebody has `let_in`
Found = Annotated[Access, Depends(_access)]


async def heard(request: Request, access: Access) -> Any:
    """A JSON body. Raises Problem, for one in another strategy's name than the token's, too."""
    body = await read_json(request)
    access.check_said(body)
    return body


async def shown(access: Access, view: Callable[[Broker], Any]) -> Response:
    """What `view` finds (awaited if it must be), once it is kept: see `read`.

    Raises Problem when it cannot be kept, and for what the view refuses.
    """
    with refusing():
        return answer(await read(access.desk, view))
