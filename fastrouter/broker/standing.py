"""Where each limit stands: what is allowed, and what is so now."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .ledger import Ledger
from .money import ZERO, quotient, text
from .position import Position
from .risk import Breach, Guard, Limits
from .rules import Rules

__all__ = ["kill_switch", "standings"]


def standings(ledger: Ledger, guard: Guard, rules: Rules, now: int) -> Iterator[Breach]:
    """One for each limit that is set, the account's first; `value` is what was found.

    The severity is INFO below the limit, from there on ERROR; of the kill switch CRITICAL.
    """
    yield kill_switch(ledger)
    if rules.max_daily_loss is not None:
        loss = max(ZERO, ledger.account.day_equity - ledger.equity)
        yield _standing("maxDailyLoss", rules.max_daily_loss, loss)
    for strategy_id, limits in guard.limits.items():
        for rule, limit, value in _of(strategy_id, limits, ledger, guard, now):
            yield _standing(rule, limit, value)._replace(strategy_id=strategy_id)


def kill_switch(ledger: Ledger, message: str = "") -> Breach:
    """Where it stands: `value` is 1 when it is on; `message` says so in other words."""
    on = ledger.account.killed
    switch = _standing("killSwitch", Decimal(1), Decimal(on), message or ("on" if on else "off"))
    return switch._replace(severity="CRITICAL") if on else switch


def _of(
    strategy_id: str, limits: Limits, ledger: Ledger, guard: Guard, now: int
) -> Iterator[tuple[str, Decimal, Decimal]]:
    held = [shares[strategy_id] for shares in ledger.holdings.values() if strategy_id in shares]
    if limits.max_position_value is not None:
        largest = max((abs(one.value) for one in held), default=ZERO)
        yield "maxPositionValue", limits.max_position_value, largest
    if limits.max_orders_per_minute is not None:
        recent = guard.recent(strategy_id, now)
        yield "maxOrdersPerMinute", Decimal(limits.max_orders_per_minute), Decimal(recent)
    if limits.stop_loss_percentage is not None:
        worst = max(map(_loss, held), default=ZERO)
        yield "stopLossPercentage", limits.stop_loss_percentage, worst


def _loss(position: Position) -> Decimal:
    """The part of its cost that it lost, to ten decimals."""
    cost = abs(position.cost)
    return max(ZERO, quotient(-position.unrealised, cost)) if cost else ZERO


def _standing(rule: str, limit: Decimal, value: Decimal, message: str = "") -> Breach:
    said = message or f"{text(value)} of {text(limit)}"
    severity = "INFO" if value < limit else "ERROR"
    return Breach(rule, "", said, limit, value, severity=severity)
