"""The client's face: `connect` and what it returns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

from fastrouter.client.address import shown, split_items
from fastrouter.client.inbox import AnyEvent
from fastrouter.client.link import Link
from fastrouter.client.options import Options, Token, resolve, since_of, token_of
from fastrouter.client.position import Position
from fastrouter.client.statistics import Statistics
from fastrouter.client.surroundings import Surroundings
from fastrouter.core.event import Candle, Event, Quote

__all__ = ["Connection", "connect"]


class Connection:
    """A stream of typed events, for one consumer.

    ``async with`` opens it on entry and closes it on exit; ``async for``
    yields `Quote`, `Candle` and `Event` objects in the order they arrived,
    opening it when needed. A connection that nobody holds any more closes by
    itself.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._link = Link(options)
        self._task: asyncio.Task[None] | None = None
        self._batch: deque[AnyEvent] = deque()
        self._whole: list[AnyEvent] = []  # the batch as it arrived
        self._in_hand = 0  # of which so many were taken last, and may still be worked on
        self._noted = 0  # … and so many are accounted for in …
        self._position = Position(options.since)

    @property
    def url(self) -> str:
        """Where it connects, as it was asked to; the subscriptions are added on the way."""
        return self._options.url

    @property
    def stats(self) -> Statistics:
        """Live counters; they go on over reconnects."""
        return self._link.statistics

    @property
    def last_id(self) -> int | None:
        """The highest id among the events that were taken, or the ``since`` it began with.

        None when there is neither. Store it once what was taken is processed:
        a client that restarts with ``connect(since=…)`` goes on right after
        it. Events that have arrived and were not taken do not count.
        """
        self._note_taken()
        return self._position.since

    async def subscribe(self, *items: str) -> list[str]:
        """Add subscriptions (``"S:AAPL:quote"``, several by comma or as arguments).

        Returns all that are held now; they survive a reconnect. Raises
        SubscriptionError when the server refuses, TimeoutError when it does
        not answer within ``open_timeout``, ConnectionFailed when it is gone
        for good.
        """
        return await self._change("subscribe", items)

    async def unsubscribe(self, *items: str) -> list[str]:
        """Drop subscriptions; the rest is as in `subscribe`."""
        return await self._change("unsubscribe", items)

    async def ack(self, *events: Quote | Candle | Event) -> None:
        """Tell the server that these events were processed; those without an id are skipped.

        A backtest's clock waits for it. Returns when the message is written;
        without an open session it is dropped, as no clock waits there.
        """
        self._send_ack([event.id for event in events if event.id])

    async def authenticate(self, token: str) -> dict[str, Any]:
        """Send a new token on the open session, before the one it has expires.

        Returns what the server answers: ``subject``, ``accounts``, ``expires``
        (Unix seconds). When ``token`` was given to `connect` as a string, later
        sessions begin with this one. Raises SubscriptionError (FORBIDDEN) for
        a token of another subject, TimeoutError and ConnectionFailed as
        `subscribe` does; with a token that does not hold the session ends.
        """
        self._start()
        return await self._link.authenticate(token)

    async def take(self) -> list[AnyEvent]:
        """All events that have arrived, oldest first, waiting for one if there is none.

        For consumers of many: it is an iteration that costs once per batch.
        Empty when the stream has ended as it should; raises what iterating does.
        """
        if not self._batch and not await self._next_batch():
            return []
        events = list(self._batch)
        self._in_hand = len(events)
        self._batch.clear()
        return events

    async def aclose(self) -> None:
        """Close with 1000 and return when nothing is left running; calling it again is free."""
        if self._task is None:
            self._link.inbox.end(None)
            return
        self._finish_batch()
        self._task.cancel()
        await asyncio.wait([self._task])
        self._link.inbox.take()

    async def __aenter__(self) -> Self:
        try:
            self._start()
            await self._link.opened()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close. What was in hand when something was raised is not acknowledged."""
        if error is not None:
            self._acknowledge(len(self._whole) - len(self._batch) - self._in_hand)
            self._note_taken()
            self._whole = []
            self._batch.clear()
            self._noted = 0
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        if not self._batch and not await self._next_batch():
            raise StopAsyncIteration
        self._in_hand = 1
        return self._batch.popleft()

    def __del__(self) -> None:
        task = getattr(self, "_task", None)
        if task is not None and not task.done():
            loop = task.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)

    # ---- inside

    def _start(self) -> None:
        if self._task is None and not self._link.inbox.ended:
            self._task = asyncio.get_running_loop().create_task(
                self._link.run(), name=f"fastrouter client {shown(self.url)}"
            )

    async def _next_batch(self) -> bool:
        """Acknowledge the batch that was taken, then take all that has arrived since.

        False when nothing will arrive any more.
        """
        self._start()
        inbox = self._link.inbox
        self._finish_batch()
        while not (batch := inbox.take()):
            if inbox.ended:
                inbox.check()
                return False
            await inbox.wait()
        self._batch = batch
        self._whole = list(batch)
        return True

    def _finish_batch(self) -> None:
        """Account for what was taken of the last batch, and drop the rest."""
        self._acknowledge(len(self._whole) - len(self._batch))
        self._note_taken()
        self._whole = []
        self._noted = 0
        self._batch.clear()

    def _note_taken(self) -> None:
        taken = len(self._whole) - len(self._batch)
        self._position.advance(self._whole[self._noted : taken])
        self._noted = taken

    def _acknowledge(self, count: int) -> None:
        """Acknowledge the first so many of the last batch, if that is ours to do."""
        if self._link.acknowledges:
            self._send_ack([event.id for event in self._whole[:count] if event.id])

    def _send_ack(self, ids: list[int]) -> None:
        if ids:
            self._link.acknowledge(ids)

    async def _change(self, verb: str, items: tuple[str, ...]) -> list[str]:
        wanted = [item for text in items for item in split_items(text)]
        self._start()
        return await self._link.change(verb, wanted)


def connect(
    url: str | None = None,
    subscriptions: str | Iterable[str] | None = None,
    *,
    dialect: str = "trading-api",
    ack: bool | None = None,
    reconnect: bool = True,
    backoff: tuple[float, float] = (1.0, 30.0),
    since: str | int | None = None,
    conflate: str | None = None,
    token: Token | None = None,
    on_state: Callable[[bool], None] | None = None,
    ssl_context: SSLContext | None = None,
    open_timeout: float = 10.0,
    close_timeout: float = 2.0,
    idle_timeout: float = 30.0,
    capacity: int = 1024,
    surroundings: Surroundings | None = None,
) -> Connection:
    """Connect to a router and iterate over its events::

        async with fastrouter.connect("ws://127.0.0.1:8082/ws", "S:AAPL:quote") as connection:
            async for event in connection:
                ...

    :param url: the endpoint; by default ``PROXY_WS_URL`` from the environment,
        else ``ws://localhost:8082``.
    :param subscriptions: items as ``"S:AAPL:quote,C:*:candle"`` or a list of
        them; by default what the URL's query string names, else
        ``SUBSCRIPTIONS`` from the environment, else the server's own default.
    :param dialect: the envelope the server speaks, see `fastrouter.dialects`.
    :param ack: acknowledge events once they are processed, one message per batch: those that were
        taken when the next ones are asked for. By default where time waits for it: in a backtest.
    :param reconnect: come back after a lost session, with exponential backoff
        and full jitter between the two bounds of ``backoff`` (seconds), or
        after the time that a draining server asks for, within the upper bound.
        A server that closed with 1000 is done and ends the iteration.
    :param since: an event's id (``"evt_12"`` or 12): first replay the events
        after it that are never dropped, orders and closed candles among them;
        0 for all that the server keeps. Store `Connection.last_id` for it.
    :param conflate: at most one quote per symbol and interval, as ``"250ms"``.
    :param token: sent as ``Authorization: Bearer``; a string, or a function
        (or coroutine function) that is called before every attempt and returns
        one. By default ``PROXY_TOKEN`` from the environment, if the URL is
        the environment's or the default one.
    :param on_state: called with True when a session opens and with False when
        it is lost, or cannot be had, and will be tried again; changes only.
    :param open_timeout: seconds for connecting, and for an answer to
        `Connection.subscribe`.
    :param close_timeout: seconds to wait for the server's close frame.
    :param idle_timeout: seconds of silence after which the server is asked
        for a sign of life, and again until it is given up.
    :param capacity: events held for a consumer that is slow; beyond it the
        socket is not read, and the server conflates.

    The iterator yields market events, orders and the like, and the server's
    own ``connection``, ``error`` and ``rate_limit`` events. After a lost
    session it goes on by itself where it was: first what is never dropped
    and came meanwhile, then snapshots of the rest. What the server cannot
    replay any more is announced by an ``error`` event of code RESUME_GAP.

    It raises ConnectionFailed when the server refuses this client for good
    (close 4401, 4403 or 1008, or an HTTP answer below 500 that is no
    handshake), or at the first failure when ``reconnect`` is off. A function
    for ``token`` is asked for another once before 401 or 4401 is final.
    Nothing is opened before the first use.
    """
    target, wanted = resolve(url, subscriptions)
    return Connection(
        Options(
            url=target,
            subscriptions=wanted,
            dialect=dialect,
            ack=ack,
            reconnect=reconnect,
            backoff=backoff,
            since=since_of(target, since),
            conflate=conflate,
            token=token_of(url, token),
            on_state=on_state,
            ssl_context=ssl_context,
            open_timeout=open_timeout,
            close_timeout=close_timeout,
            idle_timeout=idle_timeout,
            capacity=capacity,
            surroundings=surroundings or Surroundings(),
        )
    )
