"""ORCH's commands: what they say, who may give them, and what the first one changes.

::

    command                fields        needs a token's claim   subscribes to ``*:strategy``
    ---------------------  ------------  ----------------------  ----------------------------
    get_active_strategies                                        yes
    start_strategy         id, [config]  strategies or admin     yes
    stop_strategy          id            strategies or admin     yes
    pause_strategy         id            strategies or admin     yes
    get_risk_status

``config`` has any of `CONFIG`. All answers, errors too, come in the envelope of the
orchestrator. A session whose own envelope is another gets, from its first
command on, events of `MOVED` in that one, and ping frames beside its own
heartbeat, since a client of ORCH knows no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from fastrouter.core.leaves import symbol_valid
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.errors import ErrorCode, MessageError
from fastrouter.session import beats
from fastrouter.session.effects import Command
from fastrouter.session.messages import Message, field, found, optional
from fastrouter.session.subscriptions import parse

if TYPE_CHECKING:
    from fastrouter.session.effects import Effect
    from fastrouter.session.session import Session

__all__ = ["COMMANDS", "CONFIG", "HANDLERS", "MOVED"]

#: kinds that have another shape, or only have one, in ORCH's envelope
MOVED = ("strategy", "signal", "trade", "risk")

STRATEGIES = parse("*:strategy")


class Rule(NamedTuple):
    """What a field must be."""

    holds: Callable[[Any], bool]
    allowed: str


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _are_symbols(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str) and symbol_valid(item) for item in value)
    )


NAME = Rule(symbol_valid, "1 to 128 bytes without blanks, control characters, ',' and '*'")

#: the fields of ``config``; each may be missing
CONFIG = {
    "symbols": Rule(_are_symbols, "an array of one or more symbols"),
    "dataResolution": Rule(
        lambda value: isinstance(value, str) and value in TIMEFRAMES,
        f"one of {', '.join(TIMEFRAMES)}",
    ),
    "realTrading": Rule(lambda value: isinstance(value, bool), "true or false"),
    "maxPositionValue": Rule(
        lambda value: _is_number(value) and 0 < value < math.inf, "a number above 0"
    ),
    "maxOrdersPerMinute": Rule(_is_count, "a whole number from 1 on"),
    "stopLossPercentage": Rule(
        lambda value: _is_number(value) and 0 < value <= 1,
        "a number above 0, at most 1 (0.02 is 2 %)",
    ),
}


def _nothing(message: Message) -> dict[str, Any]:
    return {}


def _id(message: Message) -> dict[str, Any]:
    name = field(message, "id", str, "a string")
    if not NAME.holds(name):
        raise _wrong(message, "id", name, NAME)
    return {"id": name}


def _id_and_config(message: Message) -> dict[str, Any]:
    config = optional(message, "config", dict, "an object") or {}
    for name, value in config.items():
        rule = CONFIG.get(name)
        if rule is None:
            raise MessageError(
                f"{message['type']}: config.{name[:100]} is not known; allowed: {', '.join(CONFIG)}"
            )
        if not rule.holds(value):
            raise _wrong(message, f"config.{name}", value, rule)
    return {**_id(message), "config": config}


def _wrong(message: Message, name: str, value: object, rule: Rule) -> MessageError:
    told = found(value) if isinstance(value, list | dict) else repr(value)[:100]
    if value == []:
        told = "empty"
    return MessageError(f"{message['type']}: {name} is {told}; allowed: {rule.allowed}")


class Spec(NamedTuple):
    """One command."""

    read: Callable[[Message], dict[str, Any]]
    acts: bool  # it changes what runs
    follows: bool = True  # who gives it wants to hear of strategies


COMMANDS = {
    "get_active_strategies": Spec(_nothing, acts=False),
    "start_strategy": Spec(_id_and_config, acts=True),
    "stop_strategy": Spec(_id, acts=True),
    "pause_strategy": Spec(_id, acts=True),
    "get_risk_status": Spec(_nothing, acts=False, follows=False),
}


def command(session: Session, message: Message, now: int) -> Effect:
    """Check it; the caller has it carried out."""
    name = message["type"]
    spec = COMMANDS[name]
    try:
        fields = spec.read(message)
        _may(session, spec, name)
    except MessageError as error:
        return session.refuse(error)
    _attend(session, spec)
    return Command(name, fields)


def _may(session: Session, spec: Spec, name: str) -> None:
    grant = session.grant
    if spec.acts and grant is not None and not (grant.strategies or grant.admin):
        raise MessageError(
            f"{name} needs a token with the claim 'strategies' or 'admin'",
            code=ErrorCode.FORBIDDEN,
        )


def _attend(session: Session, spec: Spec) -> None:
    """What the first command changes."""
    holding, second = session.holding, session.second
    if second is not None and not holding.moved.issuperset(MOVED):
        holding.move(MOVED, second)
        session.manners = session.manners._replace(beat=beats.by_both)
    if spec.follows and not session.follows:
        session.follows = True
        holding.add(holding.granted(STRATEGIES))


HANDLERS = dict.fromkeys(COMMANDS, command)
