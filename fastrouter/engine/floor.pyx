"""What a broker has to see of a run's market, and when.

Of the symbols that it watches, each quote and each bar of the data is kept while an instant is
published, and shown to the broker at its end, in order. Candles built from quotes are not shown:
their quotes were. While nothing is watched an event costs a look at a flag.
"""

from libc.stdint cimport INT64_MAX

import cython

from fastrouter.core.event cimport Candle, Quote

__all__ = ["Floor"]


@cython.final
cdef class Floor:
    """The run calls `open` before an instant's first event and `close` after its last.

    `on_change(change)` publishes what the broker changed; `on_marks(now)` is told of each instant
    in which the broker saw something.
    """

    def __init__(self, broker not None, on_change not None, on_marks not None):
        self.broker = broker
        self.on_change = on_change
        self.on_marks = on_marks
        self.waiting = []
        self.look()

    def look(self) -> None:
        """Orders may have changed: see what has to be watched, and until when."""
        self.watched.clear()
        for symbol in self.broker.books:
            self.watched.insert(<string>(<bytes>(<str>symbol).encode()))
        self.awake = not self.watched.empty()
        due = self.broker.wakes_at
        self.wakes = INT64_MAX if due is None else due

    cdef int note(self, Topic* topic) except -1:
        """The topic has a new value."""
        cdef Moment moment
        if topic.timeframe and not (topic.delivered and topic.value.candle.closed):
            return 0
        if not self.watched.count(string(topic.symbol, topic.symbol_size)):
            return 0
        moment.topic = topic
        moment.stamp = topic.stamp
        moment.value = topic.value
        self.seen.push_back(moment)
        return 0

    cdef int open(self, int64_t now) except -1:
        """An instant begins: what the clock alone does is done."""
        if now >= self.wakes:
            self.announce(self.broker.on_clock(now))
            self.look()
        return 0

    cdef int close(self, int64_t now) except -1:
        """All events of the instant are published."""
        waiting, self.waiting, self.holds = self.waiting, [], False
        for change in waiting:
            self.on_change(change)
        self.show(now)
        if self.moved:
            self.moved = False
            self.on_marks(now)
        return 0

    cdef int show(self, int64_t now) except -1:
        """Show the broker what happened since the last time."""
        cdef:
            vector[Moment] seen
            size_t i
            bint changed = False
        if self.seen.empty():
            return 0
        seen.swap(self.seen)
        self.moved = True
        for i in range(seen.size()):
            change = (self.broker.on_quote(quote_of(&seen[i]), now)
                      if not seen[i].topic.timeframe
                      else self.broker.on_bar(candle_of(&seen[i]), now))
            if change:
                self.announce(change)
                changed = True
        if changed:
            self.look()
        return 0

    cdef int announce(self, change) except -1:
        """Have it published: now, or at the end of an instant that is published in part."""
        if self.holds:
            self.waiting.append(change)
        elif change:
            self.on_change(change)
        return 0


cdef Quote quote_of(const Moment* moment):
    cdef Quote quote = Quote.__new__(Quote)
    quote.symbol = moment.topic.symbol[:moment.topic.symbol_size].decode()
    quote.time = moment.stamp.time
    quote.fields = moment.value.quote
    return quote


cdef Candle candle_of(const Moment* moment):
    cdef Candle candle = Candle.__new__(Candle)
    candle.symbol = moment.topic.symbol[:moment.topic.symbol_size].decode()
    candle.timeframe = moment.topic.timeframe_name.decode()
    candle.fields = moment.value.candle
    return candle
