"""What a broker has to see of a run's market, and what is told of it.

Of the symbols that it watches, each quote and each bar of the data is kept while an instant is
published, and shown to the broker at its end, in order. Candles built from quotes are not shown:
their quotes were. While nothing is watched an event costs a look at a flag.

What the broker changes is told after the instant's rows, event by event: an instant with many
fills is published in portions, too.
"""

from libc.stdint cimport INT64_MAX

import cython

from fastrouter.core.event cimport Candle, Quote

from collections import deque

__all__ = ["Floor"]


@cython.final
cdef class Floor:
    """The run calls `open` before an instant's first event, and `step` after its rows.

    `on_event(kind, payload)` publishes what the broker said; `on_marks(now)` is told of each
    instant in which the broker saw something.
    """

    def __init__(self, broker not None, on_event not None, on_marks not None):
        self.broker = broker
        self.on_event = on_event
        self.on_marks = on_marks
        self.waiting = deque()
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
        """An instant begins."""
        if now >= self.wakes:
            self.due = True
        return 0

    cdef bint busy(self):
        """Is there something left to do in this instant?"""
        return self.moved or self.due or self.shown < self.seen.size() or len(self.waiting) > 0

    cdef bint step(self, int64_t now) except -1:
        """All rows are published: tell the next event, or show the next row. False: that is all."""
        if self.waiting:
            self.on_event(*self.waiting.popleft())
        elif self.shown < self.seen.size():
            self.show_one(now)
        else:
            self.forget()
            self.ring(now)
            if self.moved:
                self.moved = False
                self.on_marks(now)
        return self.busy()

    cdef int show(self, int64_t now) except -1:
        """Show the broker all that happened since the last time."""
        while self.shown < self.seen.size():
            self.show_one(now)
        return self.forget()

    cdef int show_one(self, int64_t now) except -1:
        cdef Moment* moment = &self.seen[self.shown]
        self.shown += 1
        self.moved = True
        change = (self.broker.on_bar(candle_of(moment), now) if moment.topic.timeframe
                  else self.broker.on_quote(quote_of(moment), now))
        if change:
            self.changed = True
            self.announce(change)
        return 0

    cdef int ring(self, int64_t now) except -1:
        """All is shown: do what the clock alone does. The bars that end now came before."""
        if self.due:
            self.due = False
            self.announce(self.broker.on_clock(now))
            self.look()
        return 0

    cdef int forget(self) except -1:
        """Everything is shown."""
        self.seen.clear()
        self.shown = 0
        if self.changed:
            self.changed = False
            self.look()
        return 0

    cdef int announce(self, change) except -1:
        """Have its events told, after those that wait."""
        self.waiting.extend(change.events)
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
