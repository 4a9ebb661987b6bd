"""An order's errors as answers: Alpaca's status and number where it has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import NamedTuple

from fastrouter.broker import Order
from fastrouter.control.problem import Problem, not_kept
from fastrouter.errors import EventError, OrderError, StoreError

__all__ = ["check_accepted", "problem_of", "refusing"]


class Answer(NamedTuple):
    """A status, and its number if Alpaca's clients look at one."""

    status: HTTPStatus
    number: int | None = None


UNPROCESSABLE = Answer(HTTPStatus.UNPROCESSABLE_ENTITY, 42210000)
NOT_FOUND = Answer(HTTPStatus.NOT_FOUND, 40410000)
INSUFFICIENT = Answer(HTTPStatus.FORBIDDEN, 40310000)
CONFLICT = Answer(HTTPStatus.CONFLICT)

#: the broker's code -> the answer; what is not here is a limit's
ANSWERS = {
    "INVALID_ORDER": UNPROCESSABLE,
    "UNKNOWN_SYMBOL": UNPROCESSABLE,
    "AMBIGUOUS_SYMBOL": UNPROCESSABLE,
    "ORDER_NOT_OPEN": UNPROCESSABLE,
    "DUPLICATE": Answer(HTTPStatus.UNPROCESSABLE_ENTITY, 40010001),
    "NO_PRICE": Answer(HTTPStatus.UNPROCESSABLE_ENTITY),
    "ORDER_NOT_FOUND": NOT_FOUND,
    "POSITION_NOT_FOUND": NOT_FOUND,
    "ASSET_NOT_FOUND": NOT_FOUND,
    "INSUFFICIENT_BALANCE": INSUFFICIENT,
    "INSUFFICIENT_QUANTITY": INSUFFICIENT,
    "RUN_OVER": CONFLICT,
    "RUN_NOT_BEGUN": CONFLICT,
    "RUN_WAITS": CONFLICT,
    "INVALID_EVENT": Answer(HTTPStatus.UNPROCESSABLE_ENTITY),
}
LIMIT = Answer(HTTPStatus.FORBIDDEN)


def problem_of(code: str, message: str) -> Problem:
    """The answer to that code."""
    status, number = ANSWERS.get(code, LIMIT)
    return Problem(status, message, code=number or code)


@contextmanager
def refusing() -> Iterator[None]:
    """What the broker, its store or the router refuses is answered."""
    try:
        yield
    except (OrderError, EventError) as error:
        raise problem_of(error.code, str(error)) from None
    except StoreError as error:
        raise not_kept(error) from None


def check_accepted(order: Order) -> None:
    """Raises Problem for an order that was rejected."""
    if order.status == "rejected":
        raise problem_of(order.code or "REJECTED", order.reason or "the order was rejected")
