"""What a run has yet to publish: rows in order, a few stretches ahead."""

import cython

from fastrouter.core.batch cimport candle_fields
from fastrouter.core.rows cimport strnlen
from fastrouter.core.structs cimport CandleFields, QuoteFields

from collections import deque
from itertools import zip_longest

__all__ = ["Tape"]

cdef enum:
    AHEAD = 8                   # stretches


@cython.final
cdef class Tape:
    """Fed with `merge.Stretch`, taken row by row."""

    def __cinit__(self):
        self.stock = deque()
        self.batches = []

    def feed(self, stretch) -> None:
        """Append what follows."""
        self.stock.append(stretch)

    def end(self) -> None:
        """Nothing follows any more."""
        self.ended = True

    @property
    def hungry(self):
        """Would it be fed? It holds few stretches beside the one it is in."""
        return len(self.stock) < AHEAD and not self.ended

    @property
    def over(self):
        """Has the last row been taken?"""
        return self.ended and not self.stock and self.at == self.count

    def clear(self) -> None:
        """Forget all that is left: nobody takes any more."""
        self.ended = True
        self.on_hunger = None
        self.stock.clear()
        self.parts.clear()
        self.batches = []
        self.times = self.whose = None
        self.at = self.count = 0

    cdef int load(self, Router router) except -1:
        """Go on to the next stretch. EventError for a row that cannot be published."""
        cdef:
            Batch batch
            Part part
        stretch = self.stock.popleft()
        if self.hungry and self.on_hunger is not None:
            self.on_hunger()
        self.at = self.count = 0
        self.parts.clear()
        for symbol, timeframe in sorted(stretch.bars):
            deliver(router, symbol, timeframe.decode())
        self.batches = [
            Batch(rows, router.matcher, volumes)
            for rows, volumes in zip_longest(stretch.parts, stretch.volumes)]
        for batch in self.batches:
            part.quotes = batch.quotes
            part.candles = batch.candles
            part.event_types = batch.event_types.data()
            part.volumes = batch.volumes
            part.next = 0
            part.count = batch.count
            self.parts.push_back(part)
        self.times = stretch.times
        self.in_row = stretch.whose is None
        self.part = 0
        if not self.in_row:
            self.whose = stretch.whose
        self.count = len(stretch.times)
        return 0

    cdef bint begin(self, Router router) except -1:
        """Is there a next instant? `time` is its time then."""
        while self.at == self.count:
            if not self.stock:
                return False
            self.load(router)
        self.time = self.times[self.at]
        return True

    cdef Part* taken_of(self) noexcept:
        """The part that has the next row."""
        if not self.in_row:
            return &self.parts[self.whose[self.at]]
        while self.parts[self.part].next == self.parts[self.part].count:
            self.part += 1
        return &self.parts[self.part]

    cdef bint publish(self, Router router) except -1:
        """Publish the next row; True when its instant has another."""
        cdef:
            Part* part = self.taken_of()
            size_t row = part.next
        part.next += 1
        self.at += 1
        if part.quotes != NULL:
            publish_quote(router, &part.quotes[row], self.time,
                          1 if part.volumes == NULL else part.volumes[row])
        else:
            publish_candle(router, &part.candles[row], part.event_types[row])
        return self.at < self.count and self.times[self.at] == self.time


cdef int deliver(Router router, bytes symbol, str timeframe) except -1:
    """Bars of that topic come from the data: none are built."""
    cdef uint8_t event_type = router.matcher.row("candle@" + timeframe)
    return router.builder.pass_through(
        router.matcher.topic(event_type, symbol, len(symbol)))


cdef int publish_quote(Router router, const QuoteRow* row, int64_t time,
                       double volume) except -1:
    cdef QuoteFields fields = row.fields        # a row's own are not aligned
    return router.quote(row.symbol, strnlen(row.symbol, 32), &fields, time, volume)


cdef int publish_candle(Router router, const CandleRow* row, uint8_t event_type) except -1:
    cdef CandleFields fields
    candle_fields(row, &fields)
    return router.candle(event_type, row.symbol, strnlen(row.symbol, 32), &fields)
