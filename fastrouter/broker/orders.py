"""All orders of an account: the open ones by symbol, the last of those that ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from fastrouter.errors import OrderError

from .book import Book, covers, held, hold
from .change import Draft
from .commission import Commission
from .ledger import Fill, Ledger
from .money import ZERO
from .order import Order
from .payloads import EVENTS, order_event

__all__ = ["MINUTE", "Orders"]

MINUTE = 60_000_000_000  # ns


class Orders:
    """Keeps what orders hold of the ledger's buying power up to date."""

    __slots__ = (
        *("_clients", "_commission", "_ended", "_ledger", "_remember", "_resting"),
        *("books", "by_id"),
    )

    def __init__(self, ledger: Ledger, commission: Commission, remember: int) -> None:
        self._ledger = ledger
        self._commission = commission
        self._remember = remember
        self._clients: dict[str, str] = {}
        self._ended: deque[str] = deque()
        #: (symbol, strategy or None for all, side) -> what its open orders have still to fill
        self._resting: dict[tuple[str, str | None, str], Decimal] = {}
        self.by_id: dict[str, Order] = {}
        #: symbols with open orders or a position
        self.books: dict[str, Book] = {}

    def __iter__(self) -> Iterator[Order]:
        """Those that ended, as far as they are remembered, then the open ones."""
        for order_id in self._ended:
            yield self.by_id[order_id]
        opened = [one for book in self.books.values() for one in book.orders.values()]
        yield from sorted(opened, key=lambda order: order.number)

    def get(self, order_id: str) -> Order:
        """Raises OrderError, code ORDER_NOT_FOUND."""
        order = self.by_id.get(order_id)
        if order is None:
            raise OrderError(f"order {order_id} is not known", code="ORDER_NOT_FOUND")
        return order

    def of_client(self, client_order_id: str) -> Order | None:
        order_id = self._clients.get(client_order_id)
        return None if order_id is None else self.by_id[order_id]

    def open_of(self, symbol: str, strategy_id: str) -> list[Order]:
        """A strategy's open orders of the symbol, in time."""
        book = self.books.get(symbol)
        orders = book.orders.values() if book else ()
        return [one for one in orders if one.strategy_id == strategy_id]

    def resting(self, symbol: str, strategy_id: str | None, side: str) -> Decimal:
        """What the open orders of one side have still to fill, a strategy's or all (None)."""
        return self._resting.get((symbol, strategy_id, side), ZERO)

    def put(self, order: Order, draft: Draft, *, fill: Fill | None = None) -> None:
        """The order is this now: kept, in a row, and announced unless nobody needs to know.

        `fill`: it is so by this, which the ledger has applied; what other orders hold has
        changed with the position.
        """
        self.keep(order, anew=fill is not None)
        draft.row("orders", order.id, order)
        if order.status in EVENTS:
            position = self._ledger.positions.get(order.symbol) if fill else None
            left = position.qty if position else ZERO if fill else None
            draft.event("order", order_event(self._ledger.account, order, fill, left))

    def keep(self, order: Order, *, anew: bool = False) -> None:
        """As `put`, told to nobody. An order that has ended never comes back.

        `anew`: the position has changed too.
        """
        self._clients[order.client_order_id] = order.id
        self.by_id[order.id] = order
        book = self.watch(order.symbol)
        before = book.orders.get(order.id)
        book.put(order)
        rested = self.resting(order.symbol, None, order.side)
        self._rest(before, order)
        if not order.is_open:
            self._ended.append(order.id)
        position = self._ledger.positions.get(order.symbol)
        cover = covers(position, order.side)
        rests = self.resting(order.symbol, None, order.side)
        if cover >= max(rested, rests) and cover and not anew:
            amount = book.reserved  # all of its side only closes, and holds nothing
        elif anew or cover:
            amount = held(book.orders.values(), position, self._commission)
        else:  # what it holds is its own matter
            was = hold(before, ZERO, self._commission) if before else ZERO
            now = hold(order, ZERO, self._commission) if order.is_open else ZERO
            amount = book.reserved + now - was
        self._ledger.reserved += amount - book.reserved
        book.reserved = amount
        if not book.orders and order.symbol not in self._ledger.holdings:
            del self.books[order.symbol]

    def _rest(self, before: Order | None, order: Order) -> None:
        """Sum what it has to fill, in place of what it had: so no sum walks over all orders."""
        more = order.remaining if order.is_open else ZERO
        more -= before.remaining if before else ZERO
        for strategy_id in (order.strategy_id, None):
            key = order.symbol, strategy_id, order.side
            total = self._resting.get(key, ZERO) + more
            if total:
                self._resting[key] = total
            else:
                self._resting.pop(key, None)

    def watch(self, symbol: str) -> Book:
        """The symbol's book, a new one if it has none."""
        book = self.books.get(symbol)
        if book is None:
            book = self.books[symbol] = Book()
        return book

    def forget(self, now: int) -> None:
        """Let go of what ended first, beyond what is remembered and older than a minute."""
        while len(self._ended) > self._remember:
            order = self.by_id[self._ended[0]]
            if now - order.created_at <= MINUTE:
                return
            self._ended.popleft()
            del self.by_id[order.id]
            if self._clients.get(order.client_order_id) == order.id:  # it may be a later one's
                del self._clients[order.client_order_id]
