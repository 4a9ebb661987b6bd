"""The market as somebody sees it who trades a few of its symbols.

A topic bears one bit: whether it is watched. A publish tests that bit; of a watched topic it
copies the value to a queue, which is emptied in another turn of the loop.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport INT64_MAX, uint32_t

import cython

from fastrouter.core.event import Candle, Quote

__all__ = ["Watch"]

cdef enum:
    QUOTE = 0                   # its row in the matcher's table


@cython.final
cdef class Watch:
    """What a router last published, and the quotes and closed candles of what is watched, in order.

    Of a symbol that has quotes, candles tell nothing new: they are left out. Without quotes, those
    of the shortest timeframe that comes from outside count, and no others.

    `wake` is called without arguments when there is something to `take` after there was
    nothing; it must not publish.
    """

    def __cinit__(self, Matcher matcher not None):
        self.matcher = matcher

    def watch(self, str symbol not None) -> None:
        """Queue what is published of it from here on. EventError for an invalid symbol."""
        cdef:
            Py_ssize_t size
            const char* name = PyUnicode_AsUTF8AndSize(symbol, &size)
            Topic* topic = self.matcher.topic(QUOTE, name, size)
        topic.watched = True
        self._mark_candles(topic, True)

    def unwatch(self, str symbol not None) -> None:
        """Queue it no longer; what is in the queue stays."""
        cdef:
            Py_ssize_t size
            const char* name = PyUnicode_AsUTF8AndSize(symbol, &size)
            Topic* topic = self.matcher.find(QUOTE, name, size)
        if topic != NULL:
            topic.watched = False
            self._mark_candles(topic, False)

    cdef int _mark_candles(self, const Topic* quotes, bint watched) except -1:
        cdef:
            uint32_t row
            Topic* topic
        for row in range(self.matcher.event_type_count):
            if self.matcher.event_types[row].timeframe:
                topic = self.matcher.find(row, quotes.symbol, quotes.symbol_size)
                if topic != NULL and topic.delivered:
                    topic.watched = watched
        return 0

    cdef int joined(self, Topic* topic) except -1:
        """Candles of this topic come from outside from here on."""
        cdef Topic* quotes = self.matcher.find(QUOTE, topic.symbol, topic.symbol_size)
        topic.watched = quotes != NULL and quotes.watched
        return 0

    cdef int note(self, const Topic* topic) except -1:
        """A watched topic has a new value: a quote, or a candle that closed."""
        cdef Seen seen
        if topic.timeframe and not self.tells(topic):
            return 0
        seen.topic = <Topic*>topic
        seen.time = topic.stamp.time
        seen.value = topic.value
        self.seen.push_back(seen)
        if self.seen.size() == 1 and self.wake is not None:
            self.wake()
        return 0

    cdef bint tells(self, const Topic* topic) noexcept:
        """Does this candle tell what nothing else does?"""
        cdef const Topic* quotes = self.matcher.find(QUOTE, topic.symbol, topic.symbol_size)
        if quotes != NULL and quotes.has_value:
            return False
        return self.shortest(topic.symbol, topic.symbol_size, topic.timeframe) == NULL

    cdef const Topic* shortest(self, const char* symbol, size_t size, int64_t below) noexcept:
        """Of the symbol's candles from outside those of the shortest timeframe below, or NULL."""
        cdef:
            uint32_t row
            Topic* topic
            const Topic* found = NULL
        for row in range(self.matcher.event_type_count):
            if not 0 < self.matcher.event_types[row].timeframe < below:
                continue
            topic = self.matcher.find(row, symbol, size)
            if topic != NULL and topic.delivered and topic.has_value:
                found = topic
                below = topic.timeframe
        return found

    @property
    def pending(self):
        """Events in the queue."""
        return self.seen.size()

    def take(self, size_t most) -> list:
        """The oldest of the queue as Quote and Candle, at most so many."""
        cdef list taken = []
        while most and not self.seen.empty():
            taken.append(event_of(&self.seen.front()))
            self.seen.pop_front()
            most -= 1
        return taken

    def last(self, str symbol not None):
        """Its last bid and ask, or twice the last close of its candles; None when there is neither.
        """
        cdef:
            Py_ssize_t size
            const char* name = PyUnicode_AsUTF8AndSize(symbol, &size)
            const Topic* topic = self.matcher.find(QUOTE, name, size)
        if topic != NULL and topic.has_value:
            return topic.value.quote.bid, topic.value.quote.ask
        topic = self.shortest(name, size, INT64_MAX)
        if topic == NULL:
            return None
        return topic.value.candle.close, topic.value.candle.close

    def quote(self, str symbol not None):
        """Its last quote as it was published, or None; equal to what `take` gave of it."""
        cdef:
            Py_ssize_t size
            const char* name = PyUnicode_AsUTF8AndSize(symbol, &size)
            Seen seen
        seen.topic = self.matcher.find(QUOTE, name, size)
        if seen.topic == NULL or not seen.topic.has_value:
            return None
        seen.time = seen.topic.stamp.time
        seen.value = seen.topic.value
        return event_of(&seen)

    def names(self, size_t start) -> tuple:
        """The symbols with quotes or candles among the topics from `start` on, in the order in
        which they were first seen; and where the next call starts.
        """
        cdef:
            size_t i, count = self.matcher.topics.size()
            const Topic* topic
            list found = []
        for i in range(start, count):
            topic = self.matcher.topics[i]
            if topic.event_type == QUOTE or topic.timeframe:
                found.append(topic.symbol[:topic.symbol_size].decode())
        return found, count


cdef object event_of(const Seen* seen):
    cdef:
        const Topic* topic = seen.topic
        str symbol = topic.symbol[:topic.symbol_size].decode()
    if topic.timeframe:
        return Candle(
            symbol, timeframe=topic.timeframe_name.decode(), open=seen.value.candle.open,
            high=seen.value.candle.high, low=seen.value.candle.low, close=seen.value.candle.close,
            volume=seen.value.candle.volume, time=seen.value.candle.time,
            closed=seen.value.candle.closed)
    return Quote(
        symbol, bid=seen.value.quote.bid, ask=seen.value.quote.ask, last=seen.value.quote.last,
        bid_size=seen.value.quote.bid_size, ask_size=seen.value.quote.ask_size, time=seen.time)
