"""What a desk is, as it is shown: kept, and of one broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

from fastrouter.broker import Broker
from fastrouter.control.desk import Desk
from fastrouter.errors import OrderError

__all__ = ["read"]

T = TypeVar("T")


async def read(desk: Desk, view: Callable[[Broker], T | Awaitable[T]]) -> T:
    """What `view` finds, once it is kept: a crash cannot take back what is answered.

    It is made again when the desk went back to what is kept meanwhile, for it may have seen
    what is not. Raises StoreError when it cannot be kept, and the view's OrderError.
    """
    while True:
        broker = desk.broker
        refused = None
        try:
            seen = view(broker)
            found = await seen if isawaitable(seen) else seen
        except OrderError as error:
            refused = error
        await desk.settled()
        if desk.broker is not broker:
            continue
        if refused is not None:
            raise refused
        return found
