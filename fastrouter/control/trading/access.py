"""The desk of a request, as routes ask for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from fastrouter.control.desks import Access

__all__ = ["Found", "let_in"]


def let_in(request: Request, access: Access) -> None:
    """It was found that this is so."""
    request.state.access = access


async def _access(request: Request) -> Access:
    found: Access = request.state.access
    return found


#: a parameter of routes before which somebody has `let_in`
Found = Annotated[Access, Depends(_access)]
