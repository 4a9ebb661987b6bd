"""Where each limit stands, and the answer to a session's ``get_risk_status``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from fastrouter.broker import Broker
from fastrouter.broker.money import ZERO, text
from fastrouter.control.desk import Desk
from fastrouter.errors import ErrorCode, FastrouterError, MessageError

__all__ = ["RiskCommands", "status"]

FIGURES = ("equity", "day_loss", "limit", "value")


def status(broker: Broker, now: int) -> dict[str, Any]:
    """The fields of `fastrouter.control.risk.RiskView`."""
    account, equity = broker.ledger.account, broker.equity
    return {
        "account_id": account.id,
        "mode": account.mode,
        "killed": account.killed,
        "equity": text(equity),
        "day_loss": text(max(ZERO, account.day_equity - equity)),
        "limits": broker.risk_status(now),
    }


class Grant(Protocol):
    """What a session's token proved."""

    @property
    def admin(self) -> bool: ...
    @property
    def strategies(self) -> bool: ...
    @property
    def accounts(self) -> Collection[str]: ...


class Session(Protocol):
    """`fastrouter.session.session.Session`, as far as it is known here."""

    @property
    def grant(self) -> Grant | None: ...
    def answer(self, kind: str, data: Any, /) -> object: ...
    def refuse(self, error: FastrouterError, /) -> object: ...


class RiskCommands:
    """Carries out ``get_risk_status``: a `fastrouter.session.strategies.Strategies`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def command(self, session: Session, name: str, fields: dict[str, Any]) -> None:
        """Answer at once. Raises MessageError for a token that has neither claim nor account."""
        found = status(self._desk.broker, self._desk.now())
        grant, account = session.grant, found["account_id"]
        if grant and not (grant.admin or grant.strategies or account in grant.accounts):
            raise MessageError(
                f"{name} needs a token with the account {account!r}, or the claim 'strategies' or "
                "'admin'",
                code=ErrorCode.FORBIDDEN,
            )
        limits = [_numbers(one) for one in found["limits"]]
        session.answer("risk_status", _numbers(found) | {"limits": limits})


def _numbers(fields: Mapping[str, Any]) -> dict[str, Any]:
    """With numbers for the text of figures, as that envelope has it; without `event`."""
    return {
        name: float(value) if name in FIGURES and isinstance(value, str) else value
        for name, value in fields.items()
        if name != "event"
    }
