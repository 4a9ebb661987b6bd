"""A session, what it answered, and a now that moves when told."""

from __future__ import annotations

import json
from typing import Any

import orjson

from fastrouter.core.clock import Clock
from fastrouter.core.dialect import Dialect
from fastrouter.core.event import Quote
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load
from fastrouter.session.query import Opening
from fastrouter.session.session import Rules, Session

SECOND = 1_000_000_000
START_S = 1_735_689_600
START = START_S * SECOND


BINARY = object()  # to `Client.say`: a binary message


class Envelope(Dialect):
    """What a session said, as it said it; `speechless` names what it has no words for."""

    def __init__(self, name: str, *speechless: str) -> None:
        super().__init__(name)
        self.speechless = speechless

    def control(self, kind: str, fields: Any, time: int) -> bytes:
        if kind in self.speechless:
            raise NotImplementedError(kind)
        return orjson.dumps({"in": self.name, "kind": kind, "body": fields})

    def encode(self, event: Any) -> bytes:
        return orjson.dumps({"in": self.name, "kind": event.kind, "body": {"id": event.id}})


class Recorded:
    """An outbox that also writes down what is asked of it beside messages."""

    def __init__(self, outbox: Any) -> None:
        self._outbox = outbox
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)

    def allow(self, accounts: Any) -> None:
        self.asked.append(("allow", accounts))

    def pace(self, interval: int) -> None:
        self.asked.append(("pace", interval))

    def hold(self) -> None:
        self.asked.append(("hold",))

    def subscribe(self, patterns: Any, dialect: Any = None) -> None:
        self.asked.append(("subscribe", len(patterns)))
        self._outbox.subscribe(patterns, dialect)

    def control(self, payload: bytes, opcode: int = 1) -> None:
        if opcode == 1:
            self._outbox.control(payload)
        else:
            self.asked.append(("frame", opcode, payload))


class Client:
    """One session whose socket takes everything; `opened` is the effect of its begin."""

    def __init__(
        self,
        opening: Opening | str | None = None,
        rules: Rules | None = None,
        grant: Any = None,
        *,
        dialect: Dialect | None = None,
        variable: str | None = None,
    ) -> None:
        self.clock = Clock(START)
        self.router = Router(clock=self.clock)
        self.sink = MemorySink()
        self.outbox = Recorded(self.router.attach(self.sink, dialect or load("trading-api")))
        self.now = 0
        rules = rules or Rules(15 * SECOND)
        self.session = Session("ses_1", self.outbox, self.clock, rules, 0, grant, variable)
        wanted = opening if isinstance(opening, Opening) else Opening(opening)
        self.opened = self.session.open(wanted, 0)

    def read(self) -> list[dict[str, Any]]:
        while self.router.flush():
            pass
        return [json.loads(message) for message in self.sink.messages()]

    def say(self, message: Any) -> Any:
        if message is BINARY:
            return self.session.receive_binary(b"{}", self.now)
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.session.receive(data, self.now)

    def publish(self, symbol: str) -> None:
        self.router.publish(Quote(symbol, bid=1, ask=2))

    def answers(self) -> list[tuple[str, Any]]:
        """What an `Envelope` was asked to say since the last time."""
        return [(message["kind"], message["body"]) for message in self.read()]

    def wait(self, seconds: float) -> Any:
        """Move both clocks on to then, through every deadline on the way; the last effect."""
        until = self.now + int(seconds * SECOND)
        while self.session.deadline <= until:
            self._move(self.session.deadline)
            effect = self.session.tick(self.now)
            if effect is not None:
                return effect
        self._move(until)
        return None

    def _move(self, now: int) -> None:
        self.clock.set(self.clock.time_ns() + now - self.now)
        self.now = now
