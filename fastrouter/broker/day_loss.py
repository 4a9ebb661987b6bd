"""The day's loss beside its limit, from one market event to the next."""

from __future__ import annotations

from decimal import Decimal

from .account import Account
from .change import Draft
from .ledger import Ledger
from .matching import View
from .money import EXACT, ZERO, exact
from .payloads import risk_event
from .risk import day_loss_breach

__all__ = ["DayLoss"]


class DayLoss:
    """Watches what the account may still lose until its session ends.

    All equity is reckoned when cash has changed; between that, what an event does to the
    worth of its symbol is added. So all marks must come by `mark`.
    """

    __slots__ = ("_account", "_ledger", "_most", "_room")

    def __init__(self, ledger: Ledger, most: Decimal | None) -> None:
        self._ledger = ledger
        self._most = most
        #: of which account, as it was, `_room` is what it may still lose
        self._account: Account | None = None
        self._room = ZERO

    def mark(self, symbol: str, view: View) -> bool:
        """`Ledger.mark`; whether the loss has reached its limit, and nobody was told."""
        ledger = self._ledger
        if self._most is None or ledger.account.loss_told:
            ledger.mark(symbol, view)
            return False
        before = ledger.positions.get(symbol)
        ledger.mark(symbol, view)
        if self._account is not ledger.account:
            self._reckon(self._most)
            return self._room <= 0
        after = ledger.positions.get(symbol)
        if before is None or after is None or before is after:
            return self._room <= 0
        self._room = EXACT.add(self._room, EXACT.subtract(after.value, before.value))
        return self._room <= 0

    def tell(self, draft: Draft) -> None:
        """Announce, once a session, that the limit is reached: `mark` said so."""
        account = self._ledger.account
        most = self._most
        assert most is not None
        breach = day_loss_breach(account.day_equity - self._ledger.equity, most)
        self._ledger.settle(account._replace(loss_told=True), draft)
        draft.event("risk", risk_event(account, breach))

    @exact
    def _reckon(self, most: Decimal) -> None:
        account = self._account = self._ledger.account
        self._room = most - (account.day_equity - self._ledger.equity)
