"""The feed of an event bus: DGBIT's events, and whatever else speaks its envelope on NNG.

::

    a publisher comes          ──▶ on_state(True)
    the last one goes          ──▶ on_state(False)      NNG dials again, for ever
    job.created {"type": …}    ──▶ decode, publish
    what cannot be an event    ──▶ counted, logged, passed over

The bus has no ids and no memory: what is sent while we are away is lost, and nobody can tell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from ..bus.address import check
from ..bus.reading import Reader
from ..bus.subscriber import Subscriber
from ..errors import ConfigError, EventError, FeedError, MessageError
from .feed import Publisher
from .ration import Ration

__all__ = ["NngFeed"]

logger = logging.getLogger(__name__)


class NngFeed:
    """What the publishers of a bus send.

    :param address: a publisher's, to be dialled; as ``tcp://HOST:PORT``.
    :param dial: more of them.
    :param listen: addresses where publishers dial in.
    :param topics: prefixes of the event types to take, as ``job.`` or ``job.*``; none: all.
    :param reconnect: the shortest and longest wait (s) before a publisher is dialled again.

    It never ends by itself. Raises FeedError for an address that cannot be one; `run` does when
    an address cannot be had.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        dial: Iterable[str] = (),
        listen: Iterable[str] = (),
        topics: Iterable[str] = (),
        reconnect: tuple[float, float] = (0.1, 5.0),
    ) -> None:
        self.on_state: Callable[[bool], None] | None = None
        self.on_gap: Callable[[str], None] | None = None
        self.published = 0
        self.bad_rows = 0
        self._dial = (*((address,) if address else ()), *dial)
        self._listen = tuple(listen)
        self._topics = tuple(topic.removesuffix("*") for topic in topics)
        self._reader = Reader(self._topics)
        self._ration = Ration()
        self._up = True  # nobody was told otherwise
        self._open = False
        if not self._dial + self._listen:
            raise FeedError("a bus without an address; write nng:tcp://HOST:PORT")
        try:
            for one in self._dial + self._listen:
                check(one)
            self.subscriber = Subscriber(
                dial=self._dial,
                listen=self._listen,
                topics=self._topics,
                on_state=self._on_state,
                reconnect=reconnect,
            )
        except (ValueError, ConfigError) as error:
            raise FeedError(str(error)) from None

    @property
    def publishers(self) -> int:
        """How many are connected."""
        return self.subscriber.publishers

    def describe(self) -> str:
        where = (*self._dial, *(f"publishers that dial {one}" for one in self._listen))
        return f"bus {', '.join(where)}: {', '.join(self._topics) or 'everything'}"

    async def run(self, router: Publisher) -> None:
        """Route what arrives until cancelled."""
        subscriber = self.open()
        try:
            self._on_state(subscriber.publishers > 0)
            while True:
                messages = await subscriber.take()
                with router.batch():
                    for message in messages:
                        self._route(router, message)
                await router.drained()
        finally:
            self.close()

    def open(self) -> Subscriber:
        """Begin to receive; `run` does, too. Raises FeedError for an address that cannot be had."""
        if not self._open:
            try:
                self.subscriber.open()
            except ConfigError as error:
                raise FeedError(str(error), code=error.code) from None
            self._open = True
        return self.subscriber

    def close(self) -> None:
        """Hang up; for who opened it and does not run it. Safe to call again."""
        self.subscriber.close()
        self._open = False

    def _route(self, router: Publisher, message: bytes) -> None:
        try:
            event = self._reader.read(message)
            if event is not None:
                router.publish(event)
                self.published += 1
        except (MessageError, EventError) as error:
            self._leave_out(message, error)

    def _leave_out(self, message: bytes, error: Exception) -> None:
        self.bad_rows += 1
        kept_back = self._ration.ask()
        if kept_back is not None:
            logger.warning(
                "left out a message of the bus: %s: %r (and %d since the last line)",
                *(error, message[:80], kept_back),
            )

    def _on_state(self, up: bool) -> None:
        if up != self._up:
            self._up = up
            logger.info("the bus is %s", "there" if up else "not there")
            if self.on_state is not None:
                self.on_state(up)
