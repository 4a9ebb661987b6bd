"""The routes of the account and its clock."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from pydantic import AwareDatetime, BaseModel

from fastrouter.broker import Broker
from fastrouter.broker.money import ZERO, exact, text
from fastrouter.control.trading.access import Found, shown
from fastrouter.control.trading.answer import answer, refusals
from fastrouter.control.trading.route import routes
from fastrouter.core.asset import account_uuid
from fastrouter.core.leaves import iso8601

__all__ = ["router"]


class AccountView(BaseModel):
    """A cash account: its multiplier is 1. `account_number` is its id in events."""

    id: str
    account_number: str
    status: str
    crypto_status: str
    currency: str
    cash: str
    equity: str
    last_equity: str
    portfolio_value: str
    position_market_value: str
    long_market_value: str
    short_market_value: str
    buying_power: str
    regt_buying_power: str
    daytrading_buying_power: str
    non_marginable_buying_power: str
    options_buying_power: str
    initial_margin: str
    maintenance_margin: str
    last_maintenance_margin: str
    sma: str
    multiplier: str
    accrued_fees: str
    pending_transfer_in: str
    pending_transfer_out: str
    pattern_day_trader: bool
    daytrade_count: int
    trading_blocked: bool
    transfers_blocked: bool
    account_blocked: bool
    trade_suspended_by_user: bool
    shorting_enabled: bool
    created_at: None


class ClockView(BaseModel):
    """The market is always open; a session ends when the next begins, and day orders with it."""

    timestamp: AwareDatetime
    is_open: bool
    next_open: AwareDatetime
    next_close: AwareDatetime


router = routes()


@router.get("/v2/account", response_model=AccountView, responses=refusals())
async def account(access: Found) -> Response:
    """The account's figures."""
    return await shown(access, account_view)


@router.get("/v2/clock", response_model=ClockView, responses=refusals())
async def clock(access: Found) -> Response:
    """The time: of day, or simulated."""
    now = access.desk.now()
    end = iso8601(access.desk.broker.rules.next_session_end(now))
    fields = {"timestamp": iso8601(now), "is_open": True, "next_open": end, "next_close": end}
    return answer(fields)


@exact
def account_view(broker: Broker) -> dict[str, Any]:
    """The fields of `AccountView`."""
    account = broker.ledger.account
    values = [position.value for position in broker.ledger.positions.values()]
    long = sum((value for value in values if value > 0), ZERO)
    short = sum((value for value in values if value < 0), ZERO)
    equity, power = text(broker.equity), text(broker.buying_power)
    # before the first session has begun there is no equity of its start
    last_equity = account.start if account.day_end is None else account.day_equity
    return {
        "id": account_uuid(account.id),
        "account_number": account.id,
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": account.currency,
        "cash": text(account.cash),
        "equity": equity,
        "last_equity": text(last_equity),
        "portfolio_value": equity,
        "position_market_value": text(long + abs(short)),
        "long_market_value": text(long),
        "short_market_value": text(short),
        **dict.fromkeys(POWERS, power),
        "initial_margin": text(long + abs(short)),
        **dict.fromkeys(NOTHINGS, "0"),
        "multiplier": "1",
        "pattern_day_trader": False,
        "daytrade_count": 0,
        "trading_blocked": account.killed,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": account.killed,
        "shorting_enabled": broker.rules.shorting,
        "created_at": None,
    }


#: one figure here, several there
POWERS = (
    *("buying_power", "regt_buying_power", "daytrading_buying_power"),
    *("non_marginable_buying_power", "options_buying_power"),
)
#: what is not a thing of a cash account
NOTHINGS = (
    *("maintenance_margin", "last_maintenance_margin", "sma", "accrued_fees"),
    *("pending_transfer_in", "pending_transfer_out"),
)
