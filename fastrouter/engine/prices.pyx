"""The market as a run has shown it so far."""

import cython

from fastrouter.core.router cimport Router

from fastrouter.broker import Last
from fastrouter.broker import Prices as Names
from fastrouter.broker.money import price
from fastrouter.core.event import Quote

__all__ = ["RunPrices"]


@cython.final
cdef class RunPrices:
    """A `broker.Market` of what the router has published, and of nothing that is to come.

    `symbols`: those that there are from the beginning. It costs nothing until it is asked.
    """

    def __init__(self, Router router not None, symbols=()):
        self.matcher = router.matcher
        self.names = Names(symbols)

    cdef int look(self) except -1:
        """Learn the symbols that had their first event since the last time."""
        cdef:
            vector[Topic*] before
            Topic* topic
        before.swap(self.waiting)
        while self.next < self.matcher.topics.size():
            before.push_back(self.matcher.topics[self.next])
            self.next += 1
        for topic in before:
            if topic.has_value:
                self.names.add(topic.symbol[:topic.symbol_size].decode())
            elif self.matcher.market(topic.event_type):
                self.waiting.push_back(topic)
        return 0

    def resolve(self, str symbol not None) -> str:
        """See `broker.Market`."""
        self.look()
        return self.names.resolve(symbol)

    def symbols(self) -> list:
        """See `broker.Market`."""
        self.look()
        return self.names.symbols()

    cdef const Topic* newest(self, str symbol) except? NULL:
        """Of its newest quote or closed bar of the data; NULL when there was none."""
        cdef:
            Topic* topic
            Topic* newest = NULL
            bytes name = symbol.encode()
            uint32_t row
        for row in range(self.matcher.event_type_count):
            if not self.matcher.market(row):
                continue
            topic = self.matcher.find(row, name, len(name))
            if topic == NULL or not topic.has_value:
                continue
            if topic.timeframe and not (topic.delivered and topic.value.candle.closed):
                continue
            if newest == NULL or topic.stamp.id > newest.stamp.id:
                newest = topic
        return newest

    def quote(self, str symbol not None):
        """See `broker.Market`."""
        cdef const Topic* topic = self.newest(symbol)
        if topic == NULL or topic.timeframe:
            return None
        return Quote(
            symbol, bid=topic.value.quote.bid, ask=topic.value.quote.ask,
            last=topic.value.quote.last, bid_size=topic.value.quote.bid_size,
            ask_size=topic.value.quote.ask_size, time=topic.stamp.time)

    def last(self, str symbol not None):
        """See `broker.Market`; a bar's close is both its prices."""
        cdef const Topic* newest = self.newest(symbol)
        if newest == NULL:
            return None
        if newest.timeframe:
            close = price(newest.value.candle.close)
            return Last(close, close)
        return Last(price(newest.value.quote.bid), price(newest.value.quote.ask))
