"""One strategy: what it shall be, what it is, and who is told.

::

    STOPPED ──start──▶ STARTING ──▶ ACTIVE ──pause──▶ PAUSED ──start──▶ ACTIVE
       ▲                   ▲          │ crash            │
       │                   └──────────┘                  │   too many crashes: FAILED,
       └───────────── STOPPING ◀── stop, or it ends ─────┘   which a start ends

What it shall be is durable before its process or anybody else hears of it. Commands
of one strategy are carried out one after the other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fastrouter.broker.position import Position
from fastrouter.broker.risk import Limits
from fastrouter.control.child import Child, Log
from fastrouter.control.output import last_lines
from fastrouter.control.strategies.backoff import Backoff
from fastrouter.control.strategies.configured import merged, resolved
from fastrouter.control.strategies.house import House
from fastrouter.control.strategies.keeper import Keeper
from fastrouter.control.strategies.records import Record, State
from fastrouter.control.strategies.spec import Spec
from fastrouter.control.strategies.surroundings import environment
from fastrouter.errors import ErrorCode, FastrouterError, MessageError, StoreError

__all__ = ["Status", "Strategy"]

logger = logging.getLogger("fastrouter.control")

EXACT_INTEGERS = 2**53


class Status(StrEnum):
    """In the list of strategies."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"  # it will run at once, or again after a crash
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    STOPPING = "STOPPING"
    FAILED = "FAILED"


class Strategy:
    """Made stopped. `tell` announces (event, strategy, reason)."""

    def __init__(
        self, spec: Spec, house: House, tell: Callable[[str, Strategy, str | None], None]
    ) -> None:
        self.spec = spec
        self.record = Record()
        self.log: Log | None = None
        self.started_at: int | None = None  # by the desk's clock, ns; of the process
        self._house = house
        self._tell = tell
        self._lock = asyncio.Lock()
        self._keeper: Keeper | None = None
        self._stopping = False
        self._token: str | None = None  # of its process

    # ---------------------------------------------------------------- what it is

    @property
    def status(self) -> Status:
        """What it is now."""
        if self._stopping:
            return Status.STOPPING
        if self.record.state is State.STARTED:
            return Status.STARTING if self.child is None else Status.ACTIVE
        return STANDING[self.record.state]

    @property
    def child(self) -> Child | None:
        """Its process."""
        return None if self._keeper is None else self._keeper.child

    @property
    def config(self) -> dict[str, Any]:
        """What it was started with, or would be: ORCH's ``config``."""
        return merged(self.spec, self.record.config, self._house.desk.broker.market)

    @property
    def positions(self) -> list[dict[str, Any]]:
        """What it holds, in ORCH's words."""
        holdings = self._house.desk.broker.ledger.holdings
        return [
            _position(shares[self.spec.id])
            for shares in holdings.values()
            if self.spec.id in shares
        ]

    async def written(self, count: int) -> list[str]:
        """The last lines that its processes wrote, those of the last server, too; newest last."""
        path = self._house.log_of(self.spec.id)
        if path is None:
            return [] if self.log is None else self.log.tail(count)
        return await asyncio.to_thread(last_lines, path, count)

    # ---------------------------------------------------------------- commands

    async def start(self, given: Mapping[str, Any]) -> None:
        """Run it, or let it go on; `given` is ORCH's ``config``.

        Raises MessageError: ALREADY_RUNNING, NOT_RUNNING (we end), STRATEGY_FAILED (no such
        program); OrderError for a limit or a symbol; StoreError. Nothing has changed then.
        """
        async with self._lock:
            if not self._house.open:
                raise _refused(ErrorCode.NOT_RUNNING, "the orchestrator is not running")
            given = resolved(given, self._house.desk.broker.market)
            if self.status is Status.PAUSED:
                await self._go_on(given)
                return
            if self.record.state is State.STARTED:
                raise _refused(ErrorCode.ALREADY_RUNNING, f"{self.spec.id} is {self.status}")
            if self._keeper is not None:
                await self._keeper.settled()
            await self._limit(given)
            await self._become(State.STARTED, config=given, restarts=0, last_exit=None)
            await self._run()

    async def pause(self) -> None:
        """It gets no market data, and its orders are refused. Raises MessageError, StoreError."""
        async with self._lock:
            if self.record.state is not State.STARTED:
                raise _refused(ErrorCode.NOT_RUNNING, f"{self.spec.id} is {self.status}")
            await self._become(State.PAUSED)
            self._house.gate.pause(self.spec.id)
            self._tell("paused", self, None)

    async def stop(self) -> None:
        """End it, then cancel its open orders. Raises MessageError, StoreError."""
        async with self._lock:
            if self.record.state not in (State.STARTED, State.PAUSED):
                raise _refused(ErrorCode.NOT_RUNNING, f"{self.spec.id} is {self.status}")
            await self._become(State.STOPPED)
            await self._end()
            await self._leave_the_market()
            self._tell("stopped", self, None)

    async def revive(self, record: Record) -> None:
        """We start: be what the last of us left, or start when that is configured."""
        async with self._lock:
            if record.state not in (State.STARTED, State.PAUSED) and self.spec.autostart:
                record = Record(State.STARTED)
            self.record = record
            if record.state not in (State.STARTED, State.PAUSED):
                return
            if record.state is State.PAUSED:
                self._house.gate.pause(self.spec.id)
            try:
                await self._limit(record.config)
                await self._save()
                await self._run()
            except FastrouterError as error:
                if self.record.state is not State.FAILED:
                    await self.failed(str(error))

    async def close(self) -> None:
        """We end: its process does, too; the next of us starts it again."""
        async with self._lock:
            if self.record.state in (State.STARTED, State.PAUSED):
                await self._end()
                self._tell("stopped", self, "the server stops")
            if self.log is not None:
                self.log.close()

    def kill(self) -> None:
        """It is being ended, and has no more time."""
        if self._keeper is not None:
            self._keeper.kill()

    # ---------------------------------------------------------------- what its keeper tells

    async def restarted(self) -> None:
        self.started_at = self._house.desk.now()
        paused = self.record.state is State.PAUSED
        self._tell("paused" if paused else "started", self, "restarted")

    async def crashed(self, how: str, delay: float) -> None:
        self.record = self.record._replace(restarts=self.record.restarts + 1, last_exit=how)
        reason = f"{how}; it starts again in {delay:g} s"
        self._note(reason)
        logger.warning("strategy %s crashed: %s", self.spec.id, reason)
        await self._try_to_save()
        self._tell("stopped", self, reason)

    async def failed(self, how: str) -> None:
        self._note(how)
        logger.error("strategy %s failed: %s", self.spec.id, how)
        await self._over(State.FAILED, how)

    async def ended(self) -> None:
        self._note("exit status 0")
        await self._over(State.STOPPED, "exit status 0")

    # ---------------------------------------------------------------- how

    async def _run(self) -> None:
        spec, house = self.spec, self._house
        keeper = Keeper(self._launch, Backoff(spec.restarts), self, house.timer, spec.grace)
        try:
            await keeper.start()
        except OSError as error:
            reason = f"{spec.command[0]} cannot be started: {error.strerror or error}"
            await self.failed(reason)
            raise _refused(ErrorCode.STRATEGY_FAILED, reason) from None
        self._keeper = keeper
        self.started_at = house.desk.now()
        self._tell("paused" if self.record.state is State.PAUSED else "started", self, None)

    async def _launch(self) -> Child:
        house = self._house
        assert house.place is not None
        if self.log is None:
            self.log = Log(house.log_of(self.spec.id))
        self.log.end_line()
        self._revoke()
        self._token = house.tokens.issue(self.spec.id)
        variables = environment(self.spec, self.config, house.place, self._token)
        async with house.launching:  # to fork takes ms, in which nothing is published:
            await asyncio.sleep(0)  # the loop has its turn after each
            return await house.start(self.spec.command, variables, self.log, self.spec.nice)

    def _revoke(self) -> None:
        """The token of a process that has ended."""
        token, self._token = self._token, None
        if token is not None:
            self._house.tokens.revoke(token)

    async def _go_on(self, given: Mapping[str, Any]) -> None:
        now = self.config
        for name in ("symbols", "dataResolution"):
            if name in given and given[name] != now.get(name):
                raise _refused(
                    ErrorCode.ALREADY_RUNNING,
                    f"{self.spec.id} is PAUSED; stop it first, to start it with another {name}",
                )
        given = {**self.record.config, **given}
        await self._limit(given)
        await self._become(State.STARTED, config=given)
        self._house.gate.unpause(self.spec.id)
        self._tell("started", self, None)

    async def _limit(self, given: Mapping[str, Any]) -> None:
        """Have the broker hold it to its limits."""
        desk = self._house.desk
        limits = Limits.parse(merged(self.spec, given, desk.broker.market))
        await desk.change(lambda broker, now: broker.limit(self.spec.id, limits, now))

    async def _become(self, state: State, **changes: Any) -> None:
        """Once it is durable. Raises StoreError, and NOT_RUNNING if it ended meanwhile."""
        while True:
            was = self.record
            wanted = was._replace(state=state, **changes)
            await self._house.records.save(self.spec.id, wanted, self._house.desk.now())
            if self.record is was:
                self.record = wanted
                return
            if self.record.state is not was.state:
                raise _refused(ErrorCode.NOT_RUNNING, f"{self.spec.id} is {self.status}")

    async def _end(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        self._keeper, self._stopping = keeper, True
        try:
            await keeper.stop()
        finally:
            self._stopping = False
            self.started_at = None
            self._revoke()

    async def _over(self, state: State, how: str) -> None:
        """It ended by itself."""
        self._revoke()
        self.record = self.record._replace(state=state, last_exit=how)
        self.started_at = None
        await self._try_to_save()
        await self._leave_the_market()
        self._tell("stopped", self, how)

    async def _leave_the_market(self) -> None:
        """Cancel its open orders. What it holds stays."""
        desk, name = self._house.desk, self.spec.id
        self._house.gate.unpause(name)
        if not any(order.strategy_id == name for order in desk.broker.open_orders()):
            return
        try:
            await desk.change(lambda broker, now: broker.cancel_all(now, strategy_id=name))
        except StoreError as error:
            logger.error("orders of strategy %s stay open: %s", name, error)

    async def _save(self) -> None:
        await self._house.records.save(self.spec.id, self.record, self._house.desk.now())

    async def _try_to_save(self) -> None:
        """What has happened has happened."""
        try:
            await self._save()
        except StoreError as error:
            logger.error("strategy %s: %s", self.spec.id, error)

    def _note(self, text: str) -> None:
        """A line of ours in its log."""
        if self.log is not None:
            self.log.end_line()
            self.log.write(f"fastrouter: {text}\n".encode())


STANDING = {
    State.PAUSED: Status.PAUSED,
    State.STOPPED: Status.STOPPED,
    State.FAILED: Status.FAILED,
}


def _refused(code: ErrorCode, message: str) -> MessageError:
    return MessageError(message, code=code)


def _position(share: Position) -> dict[str, Any]:
    return {
        "symbol": share.symbol,
        "quantity": _figure(share.qty),
        "entryPrice": _figure(share.average_price),
        "currentValue": _figure(share.value),
    }


def _figure(value: Decimal) -> int | float:
    """As a number of JSON."""
    whole = value == value.to_integral_value() and abs(value) < EXACT_INTEGERS
    return int(value) if whole else float(value)
