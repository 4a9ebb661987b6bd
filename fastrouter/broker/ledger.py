"""The books: cash, what the account and its strategies hold, and what buying power is left.

With a multiplier of 1, buying power is cash, less what open orders hold, less twice
each short position's worth: what its sale brought, which is owed, and as much
again as cover. A short's worth is the larger of what it was sold for and what it
would take to buy it back: a gain there buys nothing before it is realised.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .account import Account
from .change import Draft
from .matching import View
from .money import ZERO, text
from .order import Order
from .payloads import account_event, position_event, trade_event
from .position import Position, Step, filled

__all__ = ["Booking", "Fill", "Ledger"]


class Fill(NamedTuple):
    """Some of an order was executed; `order` is what it is thereafter."""

    id: str
    order: Order
    quantity: Decimal
    price: Decimal
    commission: Decimal
    time: int

    @property
    def signed(self) -> Decimal:
        return self.quantity if self.order.is_buy else -self.quantity


class Booking(NamedTuple):
    """What the books would be after a fill."""

    fill: Fill
    account: Account
    #: of the account's position, and of the strategy's share of it
    steps: list[Step]
    shares: list[Step]
    #: whether the account's position is larger by it, or on the other side
    opens: bool

    @property
    def position(self) -> Position | None:
        return _left(self.steps)

    def marked(self, view: View) -> Booking:
        """With what is left valued at what it could be closed at now, as `Ledger.mark` does."""
        return self._replace(steps=_marked(self.steps, view), shares=_marked(self.shares, view))


class Ledger:
    """An account's books. What changes them is a `Booking`."""

    __slots__ = ("account", "holdings", "positions", "reserved")

    def __init__(self, account: Account) -> None:
        self.account = account
        #: symbol -> the account's position
        self.positions: dict[str, Position] = {}
        #: symbol -> strategy ("" for none) -> its share; the shares' sum is the position, which
        #: is none when they cancel out
        self.holdings: dict[str, dict[str, Position]] = {}
        #: what all open orders hold
        self.reserved = ZERO

    @property
    def equity(self) -> Decimal:
        """Cash and what the positions would bring."""
        return sum((one.value for one in self.positions.values()), self.account.cash)

    @property
    def free(self) -> Decimal:
        """Buying power, below 0 when shorts lost more than there is."""
        owed = sum((_owed(one) for one in self.positions.values()), ZERO)
        return self.account.cash - owed - self.reserved

    @property
    def buying_power(self) -> Decimal:
        return max(ZERO, self.free)

    def holding(self, symbol: str, strategy_id: str) -> Position | None:
        """What a strategy holds of the symbol."""
        return self.holdings.get(symbol, {}).get(strategy_id)

    def mark(self, symbol: str, view: View) -> None:
        """Value what is held of the symbol at what it could be closed at now."""
        shares = self.holdings.get(symbol)
        if shares is None:
            return
        if symbol in self.positions:
            _mark(self.positions, symbol, view)
        for strategy_id in shares:
            _mark(shares, strategy_id, view)

    def booking(self, fill: Fill) -> Booking:
        """What the fill would do; nothing is done yet."""
        order = fill.order
        position = self.positions.get(order.symbol)
        share = self.holding(order.symbol, order.strategy_id)
        blank = Position(
            fill.id, order.strategy_id, order.symbol, ZERO, ZERO, fill.price, fill.time
        )
        steps = filled(position, blank._replace(strategy_id=""), fill.signed, fill.price)
        account = self.account._replace(
            cash=self.account.cash - fill.signed * fill.price - fill.commission,
            fees=self.account.fees + fill.commission,
            realised=self.account.realised + sum((one.realised for one in steps), ZERO),
        )
        opens = position is None or position.closing(fill.signed) < fill.quantity
        return Booking(fill, account, steps, filled(share, blank, fill.signed, fill.price), opens)

    def free_after(self, booking: Booking, reserved: Decimal) -> Decimal:
        """What `free` would be after it, with `reserved` held by all orders."""
        symbol = booking.fill.order.symbol
        owed = sum(
            (_owed(one) for name, one in self.positions.items() if name != symbol),
            _owed(booking.position) if booking.position else ZERO,
        )
        return booking.account.cash - owed - reserved

    def apply(self, booking: Booking) -> None:
        """The fill has happened."""
        order = booking.fill.order
        self.account = booking.account
        _keep(self.positions, order.symbol, booking.position)
        shares = self.holdings.setdefault(order.symbol, {})
        _keep(shares, order.strategy_id, _left(booking.shares))
        if not shares:
            del self.holdings[order.symbol]

    def announce(self, booking: Booking, draft: Draft) -> None:
        """Rows, and the events trade, position, account; the order's own came before.

        It has happened: see `apply`. The position is the account's; a strategy is named there
        that alone has held of it since it was opened. Whose order it was, the trade says.
        """
        fill = booking.fill
        trade = trade_event(self.account, fill)
        realised = sum((one.realised for one in booking.steps), ZERO)
        draft.row("trades", fill.id, trade | {"time": fill.time, "realised": text(realised)})
        draft.event("trade", trade)
        symbol, strategy_id = fill.order.symbol, fill.order.strategy_id
        others = self.holdings.get(symbol, {}).keys() - {strategy_id}
        figures = [] if others else [_figures(share) for share in booking.shares]
        for step in booking.steps:
            owner = strategy_id if _figures(step) in figures else ""
            draft.event("position", position_event(self.account, step, fill, owner))
        for table, key, held in (
            ("positions", symbol, booking.position),
            ("holdings", f"{strategy_id}|{symbol}", _left(booking.shares)),
        ):
            draft.row(table, key, held)
        self.settle(self.account, draft)
        draft.event("account", account_event(self))

    def settle(self, account: Account, draft: Draft) -> None:
        """The account's own figures are these now."""
        self.account = account
        draft.row("account", account.id, account)


def _mark(positions: dict[str, Position], key: str, view: View) -> None:
    position = positions[key]
    mark = view.mark(position.qty > 0)
    if mark is not None and mark != position.mark:
        positions[key] = position._replace(mark=mark)


def _marked(steps: list[Step], view: View) -> list[Step]:
    last = steps[-1]
    mark = view.mark(last.position.qty > 0)
    if mark is None or not last.position.qty:
        return steps
    return [*steps[:-1], last._replace(position=last.position._replace(mark=mark))]


def _figures(step: Step) -> tuple[object, ...]:
    """All that trading made of it."""
    one = step.position
    return step.action, one.qty, one.cost, one.closed_qty, one.closed_cost, one.closed_value


def _left(steps: list[Step]) -> Position | None:
    position = steps[-1].position
    return position if position.qty else None


def _owed(position: Position) -> Decimal:
    if position.qty > 0:
        return ZERO
    return 2 * max(-position.cost, -position.value)


def _keep(positions: dict[str, Position], key: str, position: Position | None) -> None:
    if position is None:
        positions.pop(key, None)
    else:
        positions[key] = position
