"""What an event may hold: one model per kind, the single source of field names.

``validate(kind, payload)`` makes of a publisher's payload what is routed: a plain
dict in the model's field order, decimals and times as text, without the fields
that nobody set. Names are snake_case; unknown ones are refused.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from fastrouter.errors import EventError
from fastrouter.models.account import Account
from fastrouter.models.complaint import complaint
from fastrouter.models.job import Job
from fastrouter.models.order import Order
from fastrouter.models.payload import Payload
from fastrouter.models.position import Position
from fastrouter.models.risk import Risk
from fastrouter.models.signal import Signal
from fastrouter.models.strategy import Strategy
from fastrouter.models.trade import Trade

__all__ = ["MODELS", "validate"]

#: kind -> what its payload may hold
MODELS: dict[str, type[Payload]] = {
    "order": Order,
    "trade": Trade,
    "position": Position,
    "account": Account,
    "signal": Signal,
    "strategy": Strategy,
    "job": Job,
    "risk": Risk,
}


def validate(kind: str, payload: object) -> dict[str, Any]:
    """The payload as it is routed; what was given stays as it is.

    Validating the result once more changes nothing. Raises EventError, in one
    line, that names the field, why it cannot be, and what is allowed.
    """
    model = MODELS.get(kind)
    if model is None:
        raise EventError(f"kind {kind!r} is not known; allowed: {', '.join(MODELS)}")
    if not isinstance(payload, dict):
        raise EventError(f"{kind}: payload is {type(payload).__name__}; allowed: an object")
    try:
        return model.model_validate(payload).plain()
    except ValidationError as error:
        raise EventError(f"{kind}: {complaint(model, error)}") from None
    except (ValueError, ArithmeticError) as error:  # of figures that are reckoned of others
        raise EventError(f"{kind}: {error}") from None
