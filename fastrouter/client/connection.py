"""The client's face: `connect` and what it returns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from ssl import SSLContext
from types import TracebackType
from typing import Self

from fastrouter.client import messages
from fastrouter.client.address import split_items
from fastrouter.client.inbox import AnyEvent
from fastrouter.client.link import Link
from fastrouter.client.options import Options, resolve
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
        self._taken: list[int] = []

    @property
    def url(self) -> str:
        """Where it connects, as it was asked to; the subscriptions are added on the way."""
        return self._options.url

    @property
    def stats(self) -> Statistics:
        """Live counters; they go on over reconnects."""
        return self._link.statistics

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

    async def aclose(self) -> None:
        """Close with 1000 and return when nothing is left running; calling it again is free."""
        if self._task is None:
            self._link.inbox.end(None)
            return
        self._acknowledge_taken()
        self._batch.clear()
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
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        if not self._batch:
            await self._next_batch()
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
                self._link.run(), name=f"fastrouter client {self.url}"
            )

    async def _next_batch(self) -> None:
        """Acknowledge the batch that was taken, then take all that has arrived since."""
        self._start()
        inbox = self._link.inbox
        self._acknowledge_taken()
        while not (batch := inbox.take()):
            if inbox.ended:
                inbox.check()
                raise StopAsyncIteration
            await inbox.wait()
        self._batch = batch
        if self._options.ack:
            self._taken = [event.id for event in batch]

    def _acknowledge_taken(self) -> None:
        """Acknowledge what the consumer has had of the last batch."""
        taken = self._taken[: len(self._taken) - len(self._batch)]
        self._taken = []
        self._send_ack([number for number in taken if number])

    def _send_ack(self, ids: list[int]) -> None:
        if ids:
            self._link.send(messages.acknowledge(ids, self._options.surroundings.now()))

    async def _change(self, verb: str, items: tuple[str, ...]) -> list[str]:
        wanted = [item for text in items for item in split_items(text)]
        self._start()
        return await self._link.change(verb, wanted)


def connect(
    url: str | None = None,
    subscriptions: str | Iterable[str] | None = None,
    *,
    dialect: str = "trading-api",
    ack: bool = False,
    reconnect: bool = True,
    backoff: tuple[float, float] = (1.0, 30.0),
    token: str | None = None,
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
    :param ack: acknowledge events as they are taken, one message per batch.
    :param reconnect: come back after a lost session, with exponential backoff
        and full jitter between the two bounds of ``backoff`` (seconds). A
        server that closed with 1000 is done and ends the iteration.
    :param token: sent as ``Authorization: Bearer``.
    :param open_timeout: seconds for connecting, and for an answer to
        `Connection.subscribe`.
    :param close_timeout: seconds to wait for the server's close frame.
    :param idle_timeout: seconds of silence after which the server is asked
        for a sign of life, and again until it is given up.
    :param capacity: events held for a consumer that is slow; beyond it the
        socket is not read, and the server conflates.

    The iterator yields market events, orders and the like, and the server's
    own ``connection``, ``error`` and ``rate_limit`` events. It raises
    ConnectionFailed when the server refuses this client for good (close
    4401, 4403 or 1008, or an HTTP 4xx answer), or at the first failure when
    ``reconnect`` is off. Nothing is opened before the first use.
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
            token=token,
            ssl_context=ssl_context,
            open_timeout=open_timeout,
            close_timeout=close_timeout,
            idle_timeout=idle_timeout,
            capacity=capacity,
            surroundings=surroundings or Surroundings(),
        )
    )
