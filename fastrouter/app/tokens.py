"""Tokens of our own, for the processes of strategies."""

from __future__ import annotations

from fastrouter.session.auth import Grant, Verifier

__all__ = ["Tokens"]


class Tokens:
    """A `fastrouter.control.strategies.house.Tokens`: who has one may trade on that account.

    As that strategy, and as no other.
    """

    def __init__(self, verifier: Verifier | None, account: str) -> None:
        self._verifier = verifier
        self._account = account

    def issue(self, strategy_id: str) -> str | None:
        """None where nobody is asked for one."""
        if self._verifier is None:
            return None
        accounts = (self._account,)
        return self._verifier.issue(Grant(strategy_id, accounts, None, strategy_id=strategy_id))

    def revoke(self, token: str) -> None:
        """It lets nobody in any more."""
        if self._verifier is not None:
            self._verifier.revoke(token)
