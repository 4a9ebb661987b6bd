"""Orders, accounts and fills, sans-IO: the same broker simulates a backtest and trades on paper.

::

    fields ─▶ request ─▶ intake ─▶ admission (risk, what there is) ─▶ orders, a book a symbol
    quote, bar ─▶ matching (at what price) ─▶ exchange (who, how much) ─▶ ledger (the books)
                                                                             │
    rows to write, then events to announce ◀────────────── change ◀──────────┘

With `Rules.at_once` (live) an order that is accepted is met by its symbol's last quote in the
same `Change`: after ORDER_ACCEPTED come its fills. Without (a backtest) it waits for the next
event.

The caller calls `Broker`, writes each `Change`'s rows in one transaction, then
publishes its events.
"""

from __future__ import annotations

from .account import Account
from .broker import Broker
from .change import NOTHING, Change
from .commission import Commission
from .market import Last, Market, Prices
from .order import Order
from .position import Position
from .risk import Limits
from .row import Row
from .rules import Rules
from .state import restore, snapshot

__all__ = [
    "NOTHING",
    "Account",
    "Broker",
    "Change",
    "Commission",
    "Last",
    "Limits",
    "Market",
    "Order",
    "Position",
    "Prices",
    "Row",
    "Rules",
    "restore",
    "snapshot",
]
