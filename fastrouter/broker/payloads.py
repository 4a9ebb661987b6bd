"""Events of a broker in the form that `fastrouter.models` describes, as they are routed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fastrouter.core.leaves import iso8601

from .account import Account
from .money import quotient, rounded, text
from .order import Order
from .position import Position, Step

if TYPE_CHECKING:
    from .ledger import Fill, Ledger
    from .risk import Breach

__all__ = ["EVENTS", "account_event", "order_event", "position_event", "risk_event", "trade_event"]

Payload = dict[str, Any]

#: status -> the event that announces it; `new` is not announced
EVENTS = {
    "accepted": "ORDER_ACCEPTED",
    "partially_filled": "ORDER_PARTIALLY_FILLED",
    "filled": "ORDER_FILLED",
    "canceled": "ORDER_CANCELED",
    "rejected": "ORDER_REJECTED",
    "replaced": "ORDER_REPLACED",
    "expired": "ORDER_EXPIRED",
}


def order_event(
    account: Account, order: Order, fill: Fill | None = None, held: Decimal | None = None
) -> Payload:
    """What has just happened to the order. `metadata` has what the model has no field for.

    `fill` is what filled it just now, `held` what the account holds of the symbol thereafter.
    """
    more = {
        "code": order.code,
        "notional": _text(order.notional),
        "replaces": order.replaces,
        "replaced_by": order.replaced_by,
        "expires_at": None if order.expires_at is None else iso8601(order.expires_at),
        "commission": text(order.commission) if order.commission else None,
        "fill_id": fill.id if fill else None,
        "fill_price": text(fill.price) if fill else None,
        "fill_qty": text(fill.quantity) if fill else None,
        "position_qty": _text(held),
    }
    return _given(
        event=EVENTS[order.status],
        id=order.id,
        client_order_id=order.client_order_id,
        account_id=account.id,
        strategy_id=order.strategy_id or None,
        symbol=order.symbol,
        side=order.side.upper(),
        type=order.type.upper(),
        time_in_force=order.time_in_force,
        qty=_text(order.qty),
        filled_qty=text(order.filled_qty),
        filled_avg_price=_text(order.filled_avg_price),
        limit_price=_text(order.limit_price),
        stop_price=_text(order.stop_price),
        status=order.status,
        reason=order.reason,
        created_at=iso8601(order.created_at),
        updated_at=iso8601(order.updated_at),
        metadata=_given(**more) or None,
    )


def trade_event(account: Account, fill: Fill) -> Payload:
    order = fill.order
    return _given(
        id=fill.id,
        order_id=order.id,
        account_id=account.id,
        strategy_id=order.strategy_id or None,
        symbol=order.symbol,
        side=order.side.upper(),
        type=order.type.upper(),
        quantity=_text(order.qty),
        price=_text(order.limit_price),
        executed_quantity=text(fill.quantity),
        executed_price=text(fill.price),
        commission=text(fill.commission),
        commission_asset=account.currency,
        status=order.status.upper(),
        timestamp=iso8601(fill.time),
    )


def position_event(account: Account, step: Step, fill: Fill, owner: str) -> Payload:
    """A step of the account's position; `owner` is the strategy whose alone it is, "" for none."""
    position = step.position
    closed = step.action == "CLOSED"
    was = position.closed_qty if closed else position.qty
    entry = quotient(position.closed_cost, was) if closed else position.average_price
    return _given(
        id=position.id,
        account_id=account.id,
        strategy_id=owner or None,
        symbol=position.symbol,
        side="LONG" if was > 0 else "SHORT",
        action=step.action,
        quantity=text(abs(was)),
        entry_price=text(entry),
        current_price=text(position.mark),
        **(_ending(position, fill) if closed else _standing(position)),
    )


def _standing(position: Position) -> Payload:
    percent = quotient(100 * position.unrealised, abs(position.cost)) if position.cost else None
    return {
        "unrealized_pnl": text(position.unrealised),
        "unrealized_pnl_percent": _text(percent),
        "realized_pnl": text(position.realised),
        "entry_time": iso8601(position.opened_at),
    }


def _ending(position: Position, fill: Fill) -> Payload:
    cost = abs(position.closed_cost)
    return {
        "entry_time": iso8601(position.opened_at),
        "exit_price": text(quotient(position.closed_value, position.closed_qty)),
        "exit_time": iso8601(fill.time),
        "exit_type": fill.order.code or fill.order.type,
        "pnl": text(position.realised),
        "pnl_pct": _text(quotient(100 * position.realised, cost) if cost else None),
        "duration_minutes": _minutes(fill.time - position.opened_at),
    }


def account_event(ledger: Ledger) -> Payload:
    account = ledger.account
    equity = ledger.equity
    gain = equity - account.start
    return _given(
        id=account.id,
        status="STOPPED" if account.killed else "RUNNING",
        mode=account.mode,
        currency=account.currency,
        cash=text(account.cash),
        equity=text(equity),
        buying_power=text(ledger.buying_power),
        total_balance=text(equity),
        total_pnl=text(gain),
        total_pnl_percent=_text(quotient(100 * gain, account.start) if account.start else None),
        realized_pnl=text(account.realised),
        unrealized_pnl=text(gain - account.realised + account.fees),
        fees=text(account.fees),
        total_positions=len(ledger.positions),
    )


def risk_event(account: Account, breach: Breach, event: str = "limit_breached") -> Payload:
    return _given(
        event=event,
        rule=breach.rule,
        strategy_id=breach.strategy_id or None,
        account_id=account.id,
        symbol=breach.symbol or None,
        limit=_figure(breach.limit),
        value=_figure(breach.value),
        message=breach.message,
        severity=breach.severity,
        recoverable=breach.code != "KILL_SWITCH",
        details={"code": breach.code} if breach.code else None,
    )


def _minutes(ns: int) -> int | float:
    minutes = ns / 60_000_000_000
    return int(minutes) if minutes.is_integer() else minutes


def _figure(value: Decimal | None) -> str | None:
    """To 18 decimals: a limit may have been written with any number of them."""
    return None if value is None else text(rounded(value, 18))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else text(value)


def _given(**fields: Any) -> Payload:
    return {name: value for name, value in fields.items() if value is not None}
