"""A request that is sent again, since its answer was lost, is still one: by `Idempotency-Key`.

In a run a `client_order_id` that is drawn by chance would make every run other bytes, and one that
is counted is that of another process, or of the one that was there before. So whoever shall be one
order leaves the id to the desk, and names the request instead: the name is in no event.

Of runs alone: a run's keys are gone with it. Live a `client_order_id` is kept with its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import Request

from fastrouter.broker import Change
from fastrouter.control.desk import Desk

__all__ = ["HEADER", "Once"]

HEADER = "Idempotency-Key"
MOST = 1 << 14  # keys of a desk; the oldest are forgotten
LONGEST = 200  # characters

_keys: WeakKeyDictionary[Desk, dict[str, str]] = WeakKeyDictionary()  # -> client_order_id


class Once:
    """What a request's key says of the order it asks for. Without one it says nothing."""

    def __init__(self, request: Request, desk: Desk) -> None:
        in_run = "run_id" in request.path_params
        self._key = request.headers.get(HEADER, "")[:LONGEST] if in_run else ""
        self._desk = desk

    def known(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields, with the id of the order that the same key has made. Call it, and `note`
        what came of it, in one turn.
        """
        known = _keys.get(self._desk, {}).get(self._key)
        if known is None or fields.get("client_order_id"):
            return fields
        return {**fields, "client_order_id": known}

    def note(self, change: Change) -> Change:
        """There is this order now; returns what it is given."""
        if self._key:
            keys = _keys.setdefault(self._desk, {})
            keys.setdefault(self._key, change.order.client_order_id)
            if len(keys) > MOST:
                del keys[next(iter(keys))]
        return change
