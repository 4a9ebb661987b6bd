"""The desk of a request, as routes ask for it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response

from fastrouter.control.desks import Access
from fastrouter.control.trading.answer import answer
from fastrouter.control.trading.refusal import refusing

__all__ = ["Found", "let_in", "shown"]


def let_in(request: Request, access: Access) -> None:
    """It was found that this is so."""
    request.state.access = access


async def _access(request: Request) -> Access:
    found: Access = request.state.access
    return found


#: a parameter of routes before which somebody has `let_in`
Found = Annotated[Access, Depends(_access)]


async def shown(access: Access, content: Any) -> Response:
    """What was just read from the desk, once it is kept: a crash cannot take back what is answered.

    Raises Problem when it cannot be kept.
    """
    with refusing():
        await access.desk.settled()
    return answer(content)
