"""Whose orders are taken by HTTP: a `fastrouter.control.desks.Gate`."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from fastrouter.control.problem import Problem
from fastrouter.control.strategies.registry import Registry
from fastrouter.errors import ErrorCode

__all__ = ["gate_of"]


def gate_of(registry: Registry) -> Callable[[str, bool], None]:
    """Raises Problem: 404 for a strategy that there is not, 403 for one that may not act now.

    Who trades in a name that is no strategy's (an order's ``strategy_id``) may.
    """

    def gate(strategy_id: str, acts: bool) -> None:
        error = registry.may_trade(strategy_id)
        if error is None:
            return
        unknown = error.code == ErrorCode.UNKNOWN_STRATEGY
        if unknown != acts:
            status = HTTPStatus.NOT_FOUND if unknown else HTTPStatus.FORBIDDEN
            raise Problem(status, str(error), code=error.code)

    return gate
