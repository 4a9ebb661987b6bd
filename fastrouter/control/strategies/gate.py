"""Whose orders are taken by HTTP: a `fastrouter.control.desks.Gate`."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from fastrouter.control.problem import Problem
from fastrouter.control.strategies.registry import Registry
from fastrouter.errors import ErrorCode

__all__ = ["gate_of"]

#: (there is no such strategy, somebody acts in its name)
STATUS = {
    (True, False): HTTPStatus.NOT_FOUND,
    (True, True): HTTPStatus.UNPROCESSABLE_ENTITY,
    (False, True): HTTPStatus.FORBIDDEN,
}


def gate_of(registry: Registry) -> Callable[[str, bool], None]:
    """Raises Problem for a strategy that there is not, and 403 for one that may not act now.

    One that is asked for is 404; one in whose name somebody acts (an order's ``strategy_id``) is
    422: no limit would hold it.
    """

    def gate(strategy_id: str, acts: bool) -> None:
        error = registry.may_trade(strategy_id)
        if error is None:
            return
        unknown = error.code == ErrorCode.UNKNOWN_STRATEGY
        if unknown or acts:
            raise Problem(STATUS[unknown, acts], str(error), code=error.code)

    return gate
