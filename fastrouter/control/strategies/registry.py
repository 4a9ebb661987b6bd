"""All strategies, from the start of the server to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastrouter.control.strategies.bot import figures
from fastrouter.control.strategies.house import House
from fastrouter.control.strategies.records import Record
from fastrouter.control.strategies.spec import Spec
from fastrouter.control.strategies.strategy import Status, Strategy
from fastrouter.control.strategies.surroundings import subscriptions
from fastrouter.core.leaves import iso8601
from fastrouter.errors import ErrorCode, MessageError, OrderError
from fastrouter.models.fields import shown

__all__ = ["Registry"]

logger = logging.getLogger("fastrouter.control")

SECOND = 1_000_000_000  # ns


class Registry:
    """Made of what is configured; `open` it when the ports are, `close` it before they are.

    `last_signal` says when one was given, ns. `private`: figures of the account are not for
    everybody who hears of strategies.
    """

    def __init__(
        self,
        specs: Iterable[Spec],
        house: House,
        *,
        last_signal: Callable[[], int | None] = lambda: None,
        private: bool = False,
    ) -> None:
        self.house = house
        self._last_signal = last_signal
        self._private = private
        self._opened_at = house.desk.now()
        self._strategies = {spec.id: Strategy(spec, house, self._tell) for spec in specs}

    def __iter__(self) -> Iterator[Strategy]:
        return iter(self._strategies.values())

    @property
    def running(self) -> bool:
        """May strategies be started?"""
        return self.house.open

    def find(self, strategy_id: str) -> Strategy:
        """Raises MessageError, code UNKNOWN_STRATEGY."""
        found = self._strategies.get(strategy_id)
        if found is None:
            raise MessageError(self._unknown(strategy_id), code=ErrorCode.UNKNOWN_STRATEGY)
        return found

    def _unknown(self, strategy_id: str) -> str:
        there = ", ".join(self._strategies) or "none"
        return f"there is no strategy {shown(strategy_id)}; there is {there}"

    def name_of(self, strategy_id: str) -> str | None:
        """What people call it; None when there is no such strategy."""
        found = self._strategies.get(strategy_id)
        return None if found is None else found.spec.name

    def command(self, strategy_id: str) -> list[str] | None:
        """What runs it: a program and its arguments; None when there is no such strategy."""
        found = self._strategies.get(strategy_id)
        return None if found is None else list(found.spec.command)

    def subscriptions(self, strategy_id: str) -> str | None:
        """What its sessions get that name nothing; None when there is no such strategy."""
        found = self._strategies.get(strategy_id)
        return None if found is None else subscriptions(found.spec, found.config)

    def may_trade(self, strategy_id: str) -> OrderError | None:
        """Why its orders are refused; None: they are not.

        Codes UNKNOWN_STRATEGY, STRATEGY_PAUSED, NOT_RUNNING. Until its process has
        ended it may: one that is stopped may close what it holds.
        """
        found = self._strategies.get(strategy_id)
        if found is None:
            return OrderError(self._unknown(strategy_id), code=ErrorCode.UNKNOWN_STRATEGY)
        status = found.status
        code = REFUSALS.get(status)
        return None if code is None else OrderError(f"{strategy_id} is {status}", code=code)

    def listed(self, *, positions: bool = True) -> list[dict[str, Any]]:
        """All of them, as ORCH lists them; with what they hold."""
        return [
            {
                "id": one.spec.id,
                "name": one.spec.name,
                "status": one.status,
                "symbols": one.config["symbols"],
                "positions": one.positions if positions else [],
            }
            for one in self
        ]

    def running_now(self) -> dict[str, Any]:
        """What runs, in the words of an account's event."""
        now = self.house.desk.now()
        bot: dict[str, Any] = {
            "uptime_seconds": (now - self._opened_at) // SECOND,
            "enabled_strategies": [one.spec.id for one in self if one.status is Status.ACTIVE],
        }
        if (signal := self._last_signal()) is not None:
            bot["last_signal_time"] = iso8601(signal)
        return bot

    @property
    def account(self) -> str:
        """Whose what they hold is."""
        return self.house.desk.broker.ledger.account.id

    # ---------------------------------------------------------------- life

    async def open(self) -> None:
        """Start what ran when the last server ended, and what starts by itself."""
        records = await self.house.records.load()
        self._opened_at = self.house.desk.now()
        self.house.open = True
        self._service("RUNNING")
        await asyncio.gather(*(one.revive(records.get(one.spec.id, Record())) for one in self))

    async def close(self) -> None:
        """End all processes; what they shall be stays as it is. Safe to call again."""
        if not self.house.open:
            return
        self.house.open = False
        await asyncio.gather(*(one.close() for one in self))
        self._service("STOPPED")

    def kill(self) -> None:
        """Whoever is being ended has no more time."""
        for one in self:
            one.kill()

    # ---------------------------------------------------------------- who is told

    def _service(self, status: str) -> None:
        self.house.publish("strategy", {"event": "service_status", **self._bot(), "status": status})

    def _tell(self, event: str, strategy: Strategy, reason: str | None) -> None:
        payload = {
            "event": event,
            "strategy_id": strategy.spec.id,
            "name": strategy.spec.name,
            **self._bot(),
        }
        if event == "started":
            payload["symbols"] = strategy.config["symbols"]
        if strategy.status is Status.FAILED:
            payload["status"] = "ERROR"
        if reason is not None:
            payload["reason"] = reason
        logger.info("strategy %s %s%s", strategy.spec.id, event, f": {reason}" if reason else "")
        self.house.publish("strategy", payload)

    def _bot(self) -> dict[str, Any]:
        """CORE's figures of the bot that all strategies together are."""
        running = self.running_now()
        figured: dict[str, Any] = {} if self._private else figures(self.house.desk.broker)
        if running["enabled_strategies"]:
            figured["status"] = "RUNNING"
        return figured | running


REFUSALS = {
    Status.PAUSED: ErrorCode.STRATEGY_PAUSED,
    Status.STOPPED: ErrorCode.NOT_RUNNING,
    Status.FAILED: ErrorCode.NOT_RUNNING,
}
