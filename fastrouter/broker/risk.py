"""Limits that hold before an order is accepted, and the loss that closes a position.

Limits of a strategy (ORCH's names): `maxPositionValue` for each symbol, open orders
included; `maxOrdersPerMinute`, accepted orders within 60 s; `stopLossPercentage`, a
fraction of what the position cost (0.02 is 2 %); `realTrading`, without which a
strategy has no order on a LIVE_TRADING account. Of the account: the day's loss
(`Rules.max_daily_loss`) and the kill switch. What only makes a position smaller
passes all of them but the rate, `realTrading` and the kill switch; an order that the
broker makes to close one passes all. That the day's loss has reached its limit is announced once a
session, when the market takes it there (`DayLoss`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from fastrouter.errors import OrderError
from fastrouter.models.fields import decimal_text, shown

from .money import text
from .order import Order
from .orders import MINUTE

__all__ = ["FREE_HAND", "Breach", "Guard", "Limits", "Question", "day_loss_breach"]


class Limits(NamedTuple):
    """A strategy's limits; None: none."""

    max_position_value: Decimal | None = None
    max_orders_per_minute: int | None = None
    stop_loss_percentage: Decimal | None = None
    real_trading: bool = False

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Limits:
        """Of a strategy's `config`, ORCH's names; what is not of limits is passed over.

        Raises OrderError, code INVALID_LIMIT, that names the field and what is allowed.
        """
        rate = config.get("maxOrdersPerMinute")
        if rate is not None and (type(rate) is not int or rate < 0):
            raise _bad("maxOrdersPerMinute", rate, "a whole number from 0")
        real = config.get("realTrading", False)
        if not isinstance(real, bool):
            raise _bad("realTrading", real, "true, false")
        return cls(
            _number("maxPositionValue", config.get("maxPositionValue"), 10**12),
            rate,
            _number("stopLossPercentage", config.get("stopLossPercentage"), 1),
            real,
        )


def _number(name: str, value: object, most: int) -> Decimal | None:
    if value is None:
        return None
    allowed = f"a number above 0, up to {most}"
    try:
        number = Decimal(decimal_text(value))
    except ValueError:
        raise _bad(name, value, allowed) from None
    if not 0 < number <= most:
        raise _bad(name, value, allowed)
    return number


def _bad(name: str, value: object, allowed: str) -> OrderError:
    return OrderError(f"{name} is {shown(value)}; allowed: {allowed}", code="INVALID_LIMIT")


#: the limits of who has none
FREE_HAND = Limits(real_trading=True)


class Breach(NamedTuple):
    """A limit that was breached: `limit` is what is allowed, `value` what was found."""

    rule: str
    code: str
    message: str
    limit: Decimal | None = None
    value: Decimal | None = None
    strategy_id: str = ""
    symbol: str = ""
    severity: str = "WARNING"


class Question(NamedTuple):
    """An order, and what is so when it asks to be accepted."""

    order: Order
    limits: Limits
    killed: bool
    live: bool
    #: accepted orders of the strategy in the last minute
    recent: int
    #: units of the position, on the order's side, if it and all open ones like it were filled
    exposure: Decimal
    #: what the account lost since the session's start, and may lose
    loss: Decimal
    max_loss: Decimal | None


Check = Callable[[Question], Breach | None]


def _kill_switch(asked: Question) -> Breach | None:
    if not asked.killed:
        return None
    return Breach("killSwitch", "KILL_SWITCH", "the kill switch is on", severity="CRITICAL")


def _real_trading(asked: Question) -> Breach | None:
    if not asked.live or asked.limits.real_trading:
        return None
    return Breach("realTrading", "REAL_TRADING", "realTrading is off and the account is live")


def _orders_per_minute(asked: Question) -> Breach | None:
    most = asked.limits.max_orders_per_minute
    if most is None or asked.recent < most:
        return None
    message = f"{asked.recent + 1} orders in a minute; allowed: {most}"
    figures = Decimal(most), Decimal(asked.recent + 1)
    return Breach("maxOrdersPerMinute", "MAX_ORDERS_PER_MINUTE", message, *figures)


def _daily_loss(asked: Question) -> Breach | None:
    most = asked.max_loss
    if most is None or asked.loss < most or asked.exposure <= 0:
        return None
    return day_loss_breach(asked.loss, most)


def day_loss_breach(loss: Decimal, most: Decimal) -> Breach:
    """The day's loss has reached what it must stay below."""
    message = f"the day's loss is {text(loss)}; allowed: below {text(most)}"
    return Breach("maxDailyLoss", "MAX_DAILY_LOSS", message, most, loss, severity="ERROR")


def _position_value(asked: Question) -> Breach | None:
    most = asked.limits.max_position_value
    value = asked.exposure * asked.order.hold_price
    if most is None or value <= most:
        return None
    message = f"the position would be worth {text(value)}; allowed: {text(most)}"
    return Breach("maxPositionValue", "MAX_POSITION_VALUE", message, most, value)


#: in the order in which they are asked
CHECKS: tuple[Check, ...] = (
    _kill_switch,
    _real_trading,
    _orders_per_minute,
    _daily_loss,
    _position_value,
)


class Guard:
    """The strategies' limits, and how many orders each had of late."""

    __slots__ = ("_recent", "limits", "stops")

    def __init__(self) -> None:
        #: strategy -> its limits
        self.limits: dict[str, Limits] = {}
        #: whether any of them has a stop loss
        self.stops = False
        self._recent: dict[str, deque[int]] = {}

    def put(self, strategy_id: str, limits: Limits) -> None:
        """These are the strategy's limits from now on."""
        self.limits[strategy_id] = limits
        self.stops = any(one.stop_loss_percentage is not None for one in self.limits.values())

    def of(self, strategy_id: str) -> Limits:
        return self.limits.get(strategy_id, FREE_HAND)

    def note(self, order: Order) -> None:
        """An order was accepted."""
        if order.strategy_id and not order.closing:
            self._recent.setdefault(order.strategy_id, deque()).append(order.created_at)

    def recent(self, strategy_id: str, now: int) -> int:
        """How many orders of the strategy were accepted within the last minute."""
        times = self._recent.get(strategy_id)
        if times is None:
            return 0
        while times and times[0] <= now - MINUTE:
            times.popleft()
        return len(times)

    def check(self, asked: Question) -> Breach | None:
        """The first limit that refuses the order."""
        order = asked.order
        if order.closing:
            return None
        for rule in CHECKS:
            breach = rule(asked)
            if breach is not None:
                return breach._replace(strategy_id=order.strategy_id, symbol=order.symbol)
        return None
