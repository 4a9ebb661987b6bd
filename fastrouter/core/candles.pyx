"""Candles from quotes.

A candle covers ``[time, time + timeframe)``, aligned to the epoch in UTC. Its price is the
quote's last or its mid. Its volume is the number of its quotes, 1 each, unless the publisher
provides volumes.

Times of one symbol may come out of order:

- older than the forming candle, or than what is closed already: left out, counted in `late`
  once for each timeframe it is late for;
- within the forming candle but older than the symbol's newest quote: high, low and volume
  count it, open and close stay.

So the candles of one (symbol, timeframe) close once each, in rising order. An interval
without quotes has no candle. A candle is closed by its symbol's first quote that is not
older than its end, or by the clock (`close_until`). A symbol is live when its quotes come
less than ten seconds after their time, by the router's clock: what is older is history, of
which the clock cannot tell whether an end was reached.

Once a candle of a topic comes from outside, none are built for that topic any more; what
formed there is forgotten.
"""

import cython

from libc.stdint cimport INT64_MAX, INT64_MIN
from libc.stdlib cimport calloc, free

from math import gcd

from fastrouter.core.timeframe import parse_timeframe

__all__ = ["CandleBuilder"]

cdef int64_t LIVE = 10_000_000_000          # ns
MINUTE = 60_000_000_000

cdef inline int64_t floor_to(int64_t time, int64_t length) noexcept:
    cdef int64_t rest = time % length
    return time - rest - (length if rest < 0 else 0)


cdef inline void grow(Cell* cell, double price, double volume) noexcept:
    if price > cell.high:
        cell.high = price
    if price < cell.low:
        cell.low = price
    cell.volume += volume


cdef inline void fill(Built* built, const Cell* cell, double close, bint closed) noexcept:
    built.topic = cell.topic
    built.fields.open = cell.open
    built.fields.high = cell.high
    built.fields.low = cell.low
    built.fields.close = close
    built.fields.volume = cell.volume
    built.fields.time = cell.time
    built.fields.closed = closed


@cython.final
cdef class CandleBuilder:
    """Builds candles of several timeframes for any number of symbols; publishes none.

    `clock`: who tells which quotes are live. Raises ValueError for an unknown timeframe, or
    one given twice.
    """

    def __init__(self, Matcher matcher not None, Clock clock not None, timeframes):
        names = tuple(timeframes)
        if len(set(names)) != len(names):
            raise ValueError(f"timeframes repeat: {', '.join(map(str, names))}")
        self.timeframes = tuple(sorted(names, key=parse_timeframe))
        self.matcher = matcher
        self.clock = clock
        self.next_close = self.next_live = INT64_MAX
        for name in self.timeframes:
            self.lengths.push_back(parse_timeframe(name))
            self.event_types.push_back(matcher.row(f"candle@{name}"))
        self.grain = gcd(*self.lengths, MINUTE)

    def __dealloc__(self):
        cdef Forming* forming
        for forming in self.symbols:
            free(forming)

    cdef Forming* take(self, Topic* quotes, int64_t time, double price, double volume,
                       vector[Built]* closed) except? NULL:
        """Count a quote; what it closes is added to `closed`.

        `time`: ns since the epoch, at least two days from the ends of int64. Returns what
        forms of its symbol; NULL when the quote was late for all of it.
        """
        cdef:
            Forming* forming = quotes.forming
            size_t k
        if forming == NULL:
            forming = self._add(quotes)
        if time < forming.newest or time >= forming.end:
            return forming if self._take_elsewhere(forming, time, price, volume, closed) else NULL
        # the grain it falls in is that of the newest quote: no candle ends between them
        forming.newest = time
        forming.close = price
        for k in range(self.lengths.size()):
            grow(&forming.cells[k], price, volume)
        return forming

    cdef Forming* _add(self, Topic* quotes) except NULL:
        """What forms of a symbol that is new."""
        cdef:
            size_t k, count = self.lengths.size()
            Forming* forming = <Forming*>calloc(1, sizeof(Forming) + count * sizeof(Cell))
            Topic* topic
        if forming == NULL:
            raise MemoryError()
        self.symbols.push_back(forming)
        forming.cells = <Cell*>(forming + 1)
        forming.newest = forming.end = INT64_MIN
        for k in range(count):
            topic = self.matcher.topic(self.event_types[k], quotes.symbol, quotes.symbol_size)
            topic.forming = forming
            forming.cells[k].topic = topic
            forming.cells[k].time = INT64_MIN
        quotes.forming = forming
        return forming

    cdef size_t _take_elsewhere(self, Forming* forming, int64_t time, double price,
                                double volume, vector[Built]* closed) except? 0:
        """Count a quote that may open, close or miss candles; returns how many it is in."""
        cdef:
            size_t k, taken = 0, missed = 0
            Cell* cell
            bint was_live = forming.live
        if time >= forming.newest:
            forming.live = time > self.clock.now() - LIVE
        for k in range(self.lengths.size()):
            cell = &forming.cells[k]
            if cell.topic.delivered:
                continue
            if time < cell.time:
                missed += 1
                continue
            if cell.forming and time >= cell.time + self.lengths[k]:
                self._close(forming, k, closed)
            if cell.forming:
                grow(cell, price, volume)
                if forming.live and not was_live:
                    self._note_end(forming, cell.time + self.lengths[k])
            else:
                self._open(forming, k, time, price, volume)
            taken += 1
        self.late += missed
        if time >= forming.newest:
            forming.newest = time
            forming.close = price
            forming.end = INT64_MIN if missed else floor_to(time, self.grain) + self.grain
        return taken

    cdef void _open(self, Forming* forming, size_t k, int64_t time, double price,
                    double volume) noexcept:
        cdef Cell* cell = &forming.cells[k]
        cell.time = floor_to(time, self.lengths[k])
        cell.open = cell.high = cell.low = price
        cell.volume = volume
        cell.forming = True
        self._note_end(forming, cell.time + self.lengths[k])

    cdef void _note_end(self, const Forming* forming, int64_t end) noexcept:
        """A candle of the symbol forms and ends then."""
        if end < self.next_close:
            self.next_close = end
        if forming.live and end < self.next_live:
            self.next_live = end
            self.rearm = True

    cdef int _close(self, Forming* forming, size_t k, vector[Built]* closed) except -1:
        cdef:
            Cell* cell = &forming.cells[k]
            Built built
        fill(&built, cell, forming.close, True)
        closed.push_back(built)
        cell.forming = False
        cell.time += self.lengths[k]
        return 0

    cdef int close_until(self, int64_t now, bint live, vector[Built]* closed) except -1:
        """Close every candle that ends at `now` or before, by symbol; they are added to `closed`.

        `live`: only those of live symbols. Costs nothing before `next_close`, or `next_live`.
        Quotes older than a closed candle's end are late. Without `live`, `next_close` is exact
        afterwards.
        """
        cdef:
            Forming* forming
            Cell* cell
            size_t k
            int64_t end
        if now < (self.next_live if live else self.next_close):
            return 0
        self.next_close = self.next_live = INT64_MAX
        for forming in self.symbols:
            if live and forming.end > now:      # then so do all its candles
                self._note_end(forming, forming.end)
                continue
            for k in range(self.lengths.size()):
                cell = &forming.cells[k]
                end = cell.time + self.lengths[k]
                if not cell.forming:
                    continue
                if end <= now and (forming.live or not live):
                    self._close(forming, k, closed)
                    forming.end = INT64_MIN
                else:
                    self._note_end(forming, end)
        self.rearm = False
        return 0

    cdef size_t show(self, Forming* forming, vector[Built]* shown) except? 0:
        """Add a symbol's candles that are forming to `shown`; returns how many there are."""
        cdef:
            size_t k, count = 0
            Built built
        for k in range(self.lengths.size()):
            if forming.cells[k].forming:
                fill(&built, &forming.cells[k], forming.close, False)
                shown.push_back(built)
                count += 1
        return count

    cdef int pass_through(self, Topic* topic) except -1:
        """The topic's candles come from outside from here on."""
        cdef size_t k
        topic.delivered = True
        if topic.forming != NULL:
            for k in range(self.lengths.size()):
                if topic.forming.cells[k].topic == topic:
                    topic.forming.cells[k].forming = False
        return 0
