"""Keeps one session with a server open, and turns its messages into events.

::

    opening ──▶ open ──▶ lost ──▶ waiting ──▶ opening …
       │          │        └─ for good ──▶ ended, with a failure
       └──────────┴─ done, or cancelled ─▶ ended

A link never refers to the `Connection` that owns it, so that a connection
nobody holds any more is collected, and ends its link.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any

from fastrouter import dialects
from fastrouter.client import messages
from fastrouter.client.address import shown, with_parameters
from fastrouter.client.backoff import Backoff
from fastrouter.client.inbox import AnyEvent, Inbox
from fastrouter.client.lockstep import SETTLED, Lockstep
from fastrouter.client.options import Options, Token
from fastrouter.client.position import RESUME_GAP, Position
from fastrouter.client.statistics import Statistics
from fastrouter.client.wire import Ending, Unavailable, Wire, open_wire
from fastrouter.core.event import Event
from fastrouter.errors import CloseCode, ConnectionFailed, MessageError, SubscriptionError

__all__ = ["REFUSALS", "Link"]

logger = logging.getLogger(__name__)

#: Seconds between signs of life while reading is paused and pings go unseen.
KEEP_ALIVE_SECONDS = 5.0

#: Close codes that end the stream as it should end.
FINAL = frozenset({CloseCode.DONE})
#: … and those that do when the client was told not to come back.
FINAL_ONCE = frozenset({CloseCode.DONE, CloseCode.DRAIN})
#: Close codes after which coming back would be answered the same.
FORBIDDEN = {
    CloseCode.NOT_AUTHENTICATED: "NOT_AUTHENTICATED",
    CloseCode.NOT_ALLOWED: "NOT_ALLOWED",
    CloseCode.POLICY: "POLICY",
}
#: Failed attempts that would fail again.
HOPELESS = (ConnectionFailed, ssl.SSLCertVerificationError)
#: Error codes that answer a request of ours.
REFUSALS = frozenset({"INVALID_SUBSCRIPTION", "INVALID_MESSAGE", "FORBIDDEN", "LIMIT_EXCEEDED"})


class Link:
    """One server, as long as it takes: `run` it in a task, read its ``inbox``."""

    def __init__(self, options: Options) -> None:
        self.inbox = Inbox(options.capacity, on_full=self._pause, on_room=self._resume)
        self.statistics = Statistics()
        self.position = Position(options.since)
        self._options = options
        self._name = shown(options.url)
        self._surroundings = options.surroundings
        self._decode = options.decoder or dialects.load(options.dialect).decode
        self._held = options.subscriptions
        self._lockstep: Lockstep | None = None
        self._token: Token | None = options.token
        self._refused = False  # the last token was, and no session has held since
        self._up: bool | None = None
        self._wire: Wire | None = None
        self._opened = asyncio.Event()
        self._answers: deque[asyncio.Future[Any]] = deque()
        self._keep_alive: asyncio.TimerHandle | None = None

    # ---- for the connection

    async def run(self) -> None:
        """Connect, and again, until the server is done or refuses, or the task is cancelled."""
        failure: Exception | None = None
        try:
            backoff = Backoff(*self._options.backoff, self._surroundings.random)
            while (delay := await self._once(backoff)) is not None:
                logger.info("connecting again in %.1f s", delay)
                await self._surroundings.sleep(delay)
        except Exception as error:  # the consumer's to see, not the loop's
            failure = error
        finally:
            self.inbox.end(failure)
            self._opened.set()

    async def opened(self) -> None:
        """Return once a first session is, or was, open; raise what keeps it from opening."""
        while not self.statistics.sessions:
            await self._next_opening()

    def send(self, text: bytes) -> None:
        """Send now; without an open session it goes nowhere."""
        if self._wire is not None:
            self._wire.send(text)

    def acknowledge(self, ids: list[int]) -> None:
        """These events are processed. Without an open session nobody is told, and none waits."""
        if self._lockstep is not None:
            self._lockstep.finish(ids)
        if self._wire is not None:
            self._wire.send(messages.acknowledge(ids, self._surroundings.now()))

    @property
    def acknowledges(self) -> bool:
        """Is what was taken to be acknowledged? If nobody says, when time waits for it."""
        ack = self._options.ack
        return self._lockstep is not None if ack is None else ack

    async def change(self, verb: str, items: list[str]) -> list[str]:
        """Send a ``subscribe`` or ``unsubscribe``; return all that is held after it.

        Raises what the server refuses it with.
        """
        held: list[str] = await self._ask(messages.change(verb, items))
        return held

    async def authenticate(self, token: str) -> dict[str, Any]:
        """Send a new token on the open session; return what the server says that it grants.

        Later attempts take it too, unless they ask for one.
        """
        granted: dict[str, Any] = await self._ask(messages.authenticate(token))
        if not callable(self._token):
            self._token = token
        return granted

    async def _ask(self, request: bytes) -> Any:
        """Send a request and return its answer.

        When the session is lost before that, the next one is asked again.
        """
        while True:
            while self._wire is None:
                await self._next_opening()
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._answers.append(answer)
            self.send(request)
            try:
                async with asyncio.timeout(self._options.open_timeout):
                    return await answer
            except ConnectionResetError:
                continue

    # ---- sessions

    async def _once(self, backoff: Backoff) -> float | None:
        """One attempt and the session it opens; seconds until the next, None for no next."""
        options = self._options
        began, received = self._surroundings.monotonic(), self.statistics.received
        simulated = self._simulated
        try:
            ending = await self._session()
            delivered = self.statistics.received - received > 1  # more than a welcome
            enough = options.delivered_after if delivered else options.stable_after
            held = self._surroundings.monotonic() - began >= enough
            held = held or self._simulated > simulated  # the run went on
            if held:
                self._refused = False
            if held or ending.code == CloseCode.DRAIN:
                backoff.reset()
            if not _may_return(ending, options, self._lockstep is not None):
                return None
        except OSError as error:
            if not self._may_try_again(error):
                if isinstance(error, ConnectionFailed):
                    raise
                raise ConnectionFailed(f"cannot connect to {self._name}: {error}") from error
            logger.warning("cannot connect to %s: %s", self._name, error)
            self._tell(False)
            return backoff.delay(error.retry_after if isinstance(error, Unavailable) else None)
        self._tell(False)
        return backoff.delay(ending.retry_after)

    @property
    def _simulated(self) -> int:
        """How far a run has come; 0 when there is none."""
        return 0 if self._lockstep is None else self._lockstep.arrived

    def _may_try_again(self, error: OSError) -> bool:
        if not self._options.reconnect:
            return False
        if not isinstance(error, HOPELESS):
            return True
        refused = isinstance(error, ConnectionFailed) and error.code == "NOT_AUTHENTICATED"
        fresh = refused and callable(self._token) and not self._refused
        self._refused = self._refused or refused
        return fresh

    async def _session(self) -> Ending:
        """Open a session and wait for its end; raises what `open_wire` does."""
        token = await self._ask_token()
        try:
            wire = await open_wire(self._target(), token, self._options, self._open, self._receive)
            return await asyncio.shield(wire.ended)
        finally:
            open_still, self._wire = self._wire, None
            self._stop_keep_alive()
            self._forget_answers()
            if open_still is not None:
                await open_still.close(self._options.close_timeout)

    def _target(self) -> str:
        """The URL, asking for what is held and for where to go on."""
        held = {"subscriptions": None if self._held is None else ",".join(self._held)}
        if self._lockstep is not None:
            return with_parameters(
                self._options.url, {**held, **self._lockstep.parameters()}, SETTLED
            )
        since = self.position.since
        return with_parameters(
            self._options.url,
            {
                **held,
                "since": None if since is None else f"evt_{since}",
                "conflate": self._options.conflate,
            },
        )

    def _open(self, wire: Wire) -> None:
        """A session is open; its first messages may follow in this very turn of the loop."""
        self._wire = wire
        self.statistics.open(resumed=self.position.since is not None)
        if self._lockstep is None:
            self.position.open()
        self._opened.set()
        self._tell(True)
        if self.inbox.full:
            self._pause()

    async def _ask_token(self) -> str | None:
        token = self._token() if callable(self._token) else self._token
        return await token if inspect.isawaitable(token) else token

    def _tell(self, up: bool) -> None:
        if up != self._up and self._options.on_state is not None:
            self._options.on_state(up)
        self._up = up

    def _forget_answers(self) -> None:
        while self._answers:
            if (answer := self._next_answer()) is not None:
                answer.set_exception(ConnectionResetError("the session was lost"))

    async def _next_opening(self) -> None:
        """Return when a session has opened; raise ConnectionFailed when none will any more."""
        if self.inbox.ended:
            self.inbox.check()
            raise ConnectionFailed("the connection is closed", code="CLOSED")
        self._opened.clear()
        await self._opened.wait()

    # ---- what the server says

    def _receive(self, message: bytes) -> None:
        try:
            event = self._decode(message)
        except MessageError as error:
            self.statistics.malformed += 1
            logger.warning("message %.200r cannot be read: %s", message, error)
            return
        self.statistics.received += 1
        if not self._is_new(event):
            self.statistics.duplicates += 1
            return
        if not isinstance(event, Event):
            self.statistics.follow(event)
        elif (handle := _CONTROL.get(event.kind)) is not None and handle(self, event):
            return
        self.inbox.put(event)

    def _is_new(self, event: AnyEvent) -> bool:
        """Has it not come before, on this session or another?"""
        if self._lockstep is None or not event.id:
            return self.position.admit(event)
        if self._lockstep.is_new(event.id):
            return self.position.admit(event)
        if self._lockstep.is_done(event.id):
            self.acknowledge([event.id])
        return False

    def _on_welcome(self, event: Event) -> bool:
        if self._lockstep is None:
            self._lockstep = Lockstep.of(_body(event))
        return False

    def _on_ping(self, event: Event) -> bool:
        self.send(messages.PONG)
        return True

    def _on_held(self, event: Event) -> bool:
        held = _body(event).get("subscriptions")
        if not isinstance(held, list):
            return True  # nothing of ours: so a job's stream welcomes
        self._held = [str(item) for item in held]
        answer = self._next_answer()
        if answer is not None:
            answer.set_result(list(self._held))
        return True

    def _on_granted(self, event: Event) -> bool:
        answer = self._next_answer()
        if answer is not None:
            answer.set_result(dict(_body(event)))
        return True

    def _on_error(self, event: Event) -> bool:
        """An error that answers a request is raised there; any other is an event."""
        code = str(_body(event).get("code"))
        if code == RESUME_GAP:
            self.statistics.resume_gaps += 1
            logger.warning("%s cannot replay all: %s", self._name, _body(event))
        if code not in REFUSALS or not self._answers:
            return False
        answer = self._next_answer()
        if answer is not None:
            text = str(_body(event).get("message", code))
            answer.set_exception(SubscriptionError(text, code=code))
        return True

    def _next_answer(self) -> asyncio.Future[Any] | None:
        """Who waits for the answer that just came; answers come in the order of requests."""
        if not self._answers:
            return None
        answer = self._answers.popleft()
        return None if answer.done() else answer

    # ---- a slow consumer

    def _pause(self) -> None:
        if self._wire is None:
            return
        self.statistics.pauses += 1
        self._wire.pause()
        self._stay_alive()

    def _resume(self) -> None:
        self._stop_keep_alive()
        if self._wire is not None:
            self._wire.resume()

    def _stay_alive(self) -> None:
        """Any message counts as life, so say one now and then instead of unseen pings' pongs."""
        if self._wire is not None:
            self._wire.send(messages.PONG)
            self._wire.keep_alive()
            loop = asyncio.get_running_loop()
            self._keep_alive = loop.call_later(KEEP_ALIVE_SECONDS, self._stay_alive)

    def _stop_keep_alive(self) -> None:
        if self._keep_alive is not None:
            self._keep_alive.cancel()
            self._keep_alive = None


#: Event kinds a link deals with itself; each returns whether the consumer need not see it.
_CONTROL: dict[str, Callable[[Link, Event], bool]] = {
    "connection": Link._on_welcome,
    "ping": Link._on_ping,
    "subscribed": Link._on_held,
    "unsubscribed": Link._on_held,
    "authenticated": Link._on_granted,
    "error": Link._on_error,
}


def _body(event: Event) -> dict[str, Any]:
    """What an event says; a server may have sent anything."""
    return event.payload if isinstance(event.payload, dict) else {}


def _may_return(ending: Ending, options: Options, in_lockstep: bool) -> bool:
    """Whether to connect again; raises ConnectionFailed when the end was no good one."""
    if ending.code in (FINAL if options.reconnect else FINAL_ONCE):
        return False
    text = f"{shown(options.url)} closed the session with {ending.code}"
    if ending.reason:
        text += f": {ending.reason}"
    if ending.code in FORBIDDEN:
        raise ConnectionFailed(text, code=FORBIDDEN[CloseCode(ending.code)], close_code=ending.code)
    failed = in_lockstep and ending.code == CloseCode.INTERNAL_ERROR  # the run has, for good
    if failed or not options.reconnect:
        raise ConnectionFailed(text, close_code=ending.code)
    logger.warning("%s", text)
    return True
