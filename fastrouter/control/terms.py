"""What an account is traded on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple
from uuid import uuid4

from fastrouter.broker import Account, Rules
from fastrouter.broker.row import to_row
from fastrouter.errors import ConfigError

__all__ = ["Terms"]


class Terms(NamedTuple):
    """An account and its rules. `cash` is what a new one begins with."""

    account: str = "default"
    cash: Decimal | float | str = 100_000
    currency: str = "USD"
    mode: str = "PAPER_TRADING"
    rules: Rules = Rules(at_once=True)

    def applied(self, state: dict[str, Any]) -> dict[str, Any]:
        """A store's state under these terms: a new account when it has none.

        Raises ConfigError for an account in another currency.
        """
        account = Account.opened(
            self.account, self.cash, currency=self.currency, mode=self.mode, seed=str(uuid4())
        )
        row = state["account"].get(self.account) or to_row(account)
        if row["currency"] != self.currency:
            raise ConfigError(
                f"account {self.account} is in {row['currency']}, not {self.currency}; "
                "choose another broker.account, or its currency"
            )
        return state | {"account": {self.account: row | {"mode": self.mode}}}
