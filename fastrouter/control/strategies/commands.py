"""What sessions ask of strategies (ORCH).

::

    get_active_strategies   strategy_status_list, then execution_service_status
    start_strategy          strategy_started  ┐
    stop_strategy           strategy_stopped  ├ once it is so, to all who hear of strategies
    pause_strategy          strategy_paused   ┘

Who gives a command hears of strategies from then on; but if it may not, or does not
want to, it is answered with the same message. Of what strategies hold only those are
told whose token has the account, or a claim for strategies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol

from fastrouter.control.strategies.registry import Registry
from fastrouter.control.strategies.strategy import Strategy
from fastrouter.errors import FastrouterError

__all__ = ["COMMANDS", "Commands"]

logger = logging.getLogger("fastrouter.control")


class Grant(Protocol):
    """`fastrouter.session.auth.Grant`."""

    @property
    def accounts(self) -> Collection[str]: ...
    @property
    def admin(self) -> bool: ...
    @property
    def strategies(self) -> bool: ...


class Session(Protocol):
    """`fastrouter.session.session.Session`."""

    @property
    def grant(self) -> Grant | None: ...
    def answer(self, kind: str, data: Any, /) -> object: ...
    def refuse(self, error: FastrouterError, /) -> object: ...
    def matches(self, symbol: str, event_type: str, /) -> bool: ...


class Commands:
    """Carries out commands of sessions: `fastrouter.session.strategies.Strategies`."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._running: set[asyncio.Task[None]] = set()

    def command(self, session: Session, name: str, fields: dict[str, Any]) -> None:
        """Answer now or later. Raises MessageError, code UNKNOWN_STRATEGY."""
        if name == "get_active_strategies":
            self._list(session)
            return
        strategy = self._registry.find(fields["id"])
        task = asyncio.create_task(self._carry_out(session, name, strategy, fields))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _list(self, session: Session) -> None:
        may_see = _may_see(session.grant, self._registry.account)
        session.answer("strategy_status_list", self._registry.listed(positions=may_see))
        status = "RUNNING" if self._registry.running else "STOPPED"
        session.answer("execution_service_status", {"status": status})

    async def _carry_out(
        self, session: Session, name: str, strategy: Strategy, fields: dict[str, Any]
    ) -> None:
        try:
            await ACTIONS[name](strategy, fields)
        except FastrouterError as error:
            session.refuse(type(error)(f"{name}: {error}", code=error.code))
        except Exception as error:
            logger.exception("%s of %s", name, strategy.spec.id)
            session.refuse(FastrouterError(f"{name}: see the server's log: {error!r}"))
        else:
            if not session.matches("", "strategy"):
                session.answer(*_done(name, strategy))


def _may_see(grant: Grant | None, account: str) -> bool:
    """May it know what the account holds?"""
    return grant is None or grant.admin or grant.strategies or account in grant.accounts


async def _start(strategy: Strategy, fields: dict[str, Any]) -> None:
    await strategy.start(fields.get("config") or {})


async def _stop(strategy: Strategy, fields: dict[str, Any]) -> None:
    await strategy.stop()


async def _pause(strategy: Strategy, fields: dict[str, Any]) -> None:
    await strategy.pause()


ACTIONS: dict[str, Callable[[Strategy, dict[str, Any]], Awaitable[None]]] = {
    "start_strategy": _start,
    "stop_strategy": _stop,
    "pause_strategy": _pause,
}

ANSWERS = {
    "start_strategy": "strategy_started",
    "stop_strategy": "strategy_stopped",
    "pause_strategy": "strategy_paused",
}


#: those that are carried out here
COMMANDS = ("get_active_strategies", *ACTIONS)


def _done(name: str, strategy: Strategy) -> tuple[str, dict[str, Any]]:
    about: dict[str, Any] = {"strategyId": strategy.spec.id, "name": strategy.spec.name}
    if name == "start_strategy":
        about["symbols"] = strategy.config["symbols"]
    return ANSWERS[name], about
