"""What somebody asks for: an order before it is one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from fastrouter.errors import OrderError
from fastrouter.models.cases import ABSENT, GIVEN, Cases
from fastrouter.models.fields import decimal_text, shown

from .money import LIMIT, text

__all__ = ["CASES", "Request", "amount"]

#: field -> its words
WORDS = {
    "side": ("buy", "sell"),
    "type": ("market", "limit", "stop", "stop_limit"),
    "time_in_force": ("day", "gtc", "ioc", "fok"),
}
#: type -> the prices it has
PRICES: dict[str, frozenset[str]] = {
    "market": frozenset(),
    "limit": frozenset({"limit_price"}),
    "stop": frozenset({"stop_price"}),
    "stop_limit": frozenset({"limit_price", "stop_price"}),
}
#: what `Request` demands, for a schema; its own check says what is wrong
CASES: Cases = tuple(
    {
        "type": frozenset({kind, None} if kind == "market" else {kind}),
        amount: GIVEN,
        ("notional" if amount == "qty" else "qty"): ABSENT,
        **{one: GIVEN if one in prices else ABSENT for one in ("limit_price", "stop_price")},
    }
    for kind, prices in PRICES.items()
    for amount in ("qty", "notional")
    if amount == "qty" or kind == "market"
)
#: number -> how many decimals it may have
PLACES = {"qty": 9, "notional": 9, "limit_price": 15, "stop_price": 15}
MAX_ID = 128


class Request(NamedTuple):
    """A checked request; `client_order_id` is "" when the broker shall make one."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    client_order_id: str
    strategy_id: str

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Request:
        """Of Alpaca's field names; None counts as not given; words in any case.

        Default type: market; time in force: day. Raises OrderError, code
        INVALID_ORDER, that names the field, what is wrong and what is allowed.
        """
        given = {name: value for name, value in fields.items() if value is not None}
        for name in given:
            if name not in cls._fields:
                raise refused(f"{shown(name)} is unknown; allowed: {', '.join(cls._fields)}")
        given = {"type": "market", "time_in_force": "day"} | given
        request = cls(
            symbol=_name(given, "symbol", required=True),
            side=_word(given, "side"),
            type=_word(given, "type"),
            time_in_force=_word(given, "time_in_force"),
            qty=amount("qty", given.get("qty")),
            notional=amount("notional", given.get("notional")),
            limit_price=amount("limit_price", given.get("limit_price")),
            stop_price=amount("stop_price", given.get("stop_price")),
            client_order_id=_name(given, "client_order_id"),
            strategy_id=_name(given, "strategy_id"),
        )
        request._check()
        return request

    def _check(self) -> None:
        if (self.qty is None) == (self.notional is None):
            raise refused("one of qty and notional is required")
        if self.notional is not None and self.type != "market":
            raise refused(f"notional is for market orders; {self.type} orders have qty")
        needed = PRICES[self.type]
        for name in ("limit_price", "stop_price"):
            given = getattr(self, name) is not None
            if given != (name in needed):
                does = "have none" if given else "need one"
                raise refused(f"{name}: {self.type} orders {does}")


def refused(message: str) -> OrderError:
    return OrderError(message, code="INVALID_ORDER")


def amount(name: str, value: object) -> Decimal | None:
    """A quantity or a price; None stays None. Raises OrderError, code INVALID_ORDER."""
    if value is None:
        return None
    try:
        number = Decimal(decimal_text(value))
    except ValueError as error:
        raise refused(f"{name}: {error}") from None
    if not 0 < number < LIMIT:
        raise refused(f"{name} is {text(number)}; allowed: above 0 and below 10^12")
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > PLACES[name]:
        raise refused(f"{name} is {text(number)}; allowed: {PLACES[name]} decimals")
    return number


def _fits(value: str) -> bool:
    try:
        return len(value.encode()) <= MAX_ID
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def _word(given: Mapping[str, Any], name: str) -> str:
    if name not in given:
        raise refused(f"{name} is missing; allowed: {', '.join(WORDS[name])}")
    word = str(given[name]).lower()
    if word not in WORDS[name]:
        raise refused(f"{name} is {shown(given[name])}; allowed: {', '.join(WORDS[name])}")
    return word


def _name(given: Mapping[str, Any], name: str, required: bool = False) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or not _fits(value):
        raise refused(f"{name} is {shown(value)}; allowed: a string of up to {MAX_ID} bytes")
    if required and not value:
        raise refused(f"{name} is missing")
    return value
