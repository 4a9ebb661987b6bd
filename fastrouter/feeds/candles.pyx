"""Candles from quotes.

A candle covers ``[time, time + timeframe)``, aligned to the epoch in UTC. Its price is
the quote's ``last``. A quote tells no traded size, so its volume counts 1 (a candle's
volume is its number of quotes) unless the caller provides volumes.

Times of one symbol may come out of order:

- older than the forming candle, or than what is closed already: dropped, counted in `late`
  once for each timeframe it is late for;
- within the forming candle but older than its newest quote: high, low and volume count it,
  open and close stay.

So the candles of one (symbol, timeframe) close once each, in rising order. An interval
without quotes has no candle.
"""

cimport cython
from libc.math cimport isfinite
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t, uint8_t, uint32_t
from libc.string cimport memcpy, memset
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from fastrouter.core.rows cimport CandleRow, QuoteRow, strnlen

import numpy as np

from ..core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE
from ..core.timeframe import parse_timeframe

__all__ = ["CandleBuilder"]


cdef struct Slot:
    # One (symbol, timeframe). ``time`` is the forming candle's open or, when none is
    # forming, the first time that is not closed yet.
    int64_t time
    int64_t newest
    double open
    double high
    double low
    double close
    double volume
    bint forming
    bint changed


cdef struct Symbol:
    char name[32]


if sizeof(QuoteRow) != QUOTE_DTYPE.itemsize or sizeof(CandleRow) != CANDLE_DTYPE.itemsize:
    raise ImportError("fastrouter.feeds.candles was built for other row types; rebuild it")


cdef inline int64_t floor_to(int64_t time, int64_t length) noexcept nogil:
    cdef int64_t rest = time % length
    return time - rest - (length if rest < 0 else 0)


@cython.final
cdef class CandleBuilder:
    """Builds candles of several timeframes for any number of symbols.

    Feed it with `update`; whoever owns the clock calls `close_until`, so that a silent
    symbol's candle closes too. Methods return new arrays of CANDLE_DTYPE.
    """

    cdef readonly tuple timeframes
    cdef readonly int64_t late
    cdef readonly int64_t skipped
    cdef readonly int64_t next_close
    cdef vector[int64_t] lengths
    cdef vector[char] labels
    cdef vector[Symbol] symbols
    cdef vector[Slot] slots
    cdef vector[CandleRow] out
    cdef unordered_map[string, uint32_t] index

    def __init__(self, timeframes=("1s", "1m")):
        """Raises ValueError for an unknown timeframe, or one given twice."""
        cdef bytes label
        names = tuple(timeframes)
        if len(set(names)) != len(names):
            raise ValueError(f"timeframes repeat: {', '.join(map(str, names))}")
        lengths = [parse_timeframe(name) for name in names]
        self.timeframes = names
        self.late = self.skipped = 0
        self.next_close = INT64_MAX
        self.lengths = lengths
        self.labels.assign(8 * len(names), 0)
        self.symbols.clear()
        self.slots.clear()
        self.index.clear()
        for k, name in enumerate(names):
            label = name.encode()
            memcpy(&self.labels[8 * k], <const char*> label, len(label))

    def update(self, quotes, volumes=None):
        """Take an array of QUOTE_DTYPE; return the candles it closed, in the order they closed.

        ``volumes``: one float for each quote, what it adds to its candles; by default 1.
        A quote whose ``last`` or volume is not finite is left out and counted in `skipped`.
        Raises TypeError for another dtype and ValueError for another shape.
        """
        if getattr(quotes, "dtype", None) != QUOTE_DTYPE:
            raise TypeError("quotes must be a numpy array of QUOTE_DTYPE")
        if quotes.ndim != 1:
            raise ValueError(f"quotes must have one dimension, not {quotes.ndim}")
        cdef Py_ssize_t n = quotes.shape[0]
        cdef const uint8_t[::1] raw = np.ascontiguousarray(quotes).view(np.uint8)
        cdef const double[::1] added
        if volumes is not None:
            added = np.ascontiguousarray(volumes, dtype=np.float64)
            if added.shape[0] != n:
                raise ValueError(f"{added.shape[0]} volumes for {n} quotes")
        cdef const QuoteRow* row
        cdef double volume = 1.0
        cdef Py_ssize_t i
        self.out.clear()
        for i in range(n):
            row = <const QuoteRow*> &raw[0] + i
            if volumes is not None:
                volume = added[i]
            if isfinite(row.fields.last) and isfinite(volume):
                self.take(row, volume)
            else:
                self.skipped += 1
        return self.rows()

    def close_until(self, int64_t now_ns):
        """Close every candle that ends at ``now_ns`` or before; return them, by symbol.

        Costs nothing before `next_close`. Quotes older than a closed candle's end are late.
        """
        cdef size_t s, k, at
        cdef int64_t end
        self.out.clear()
        if now_ns < self.next_close:
            return self.rows()
        self.next_close = INT64_MAX
        for s in range(self.symbols.size()):
            for k in range(self.lengths.size()):
                at = s * self.lengths.size() + k
                if not self.slots[at].forming:
                    continue
                end = self.slots[at].time + self.lengths[k]
                if end <= now_ns:
                    self.close(s, k)
                elif end < self.next_close:
                    self.next_close = end
        return self.rows()

    def forming(self, bint changed=False):
        """Return the candles that are forming (``closed`` is False), by symbol.

        ``changed``: only those with a quote since they were last returned.
        """
        cdef size_t s, k
        cdef Slot* slot
        self.out.clear()
        for s in range(self.symbols.size()):
            for k in range(self.lengths.size()):
                slot = &self.slots[s * self.lengths.size() + k]
                if slot.forming and (slot.changed or not changed):
                    slot.changed = False
                    self.emit(s, k, False)
        return self.rows()

    cdef int take(self, const QuoteRow* row, double volume) except -1:
        cdef size_t s = self.find(row.symbol)
        cdef size_t k
        cdef Slot* slot
        for k in range(self.lengths.size()):
            slot = &self.slots[s * self.lengths.size() + k]
            if row.time < slot.time:
                self.late += 1
                continue
            if slot.forming and row.time - slot.time >= self.lengths[k]:
                self.close(s, k)
            if slot.forming:
                grow(slot, row, volume)
            else:
                self.open(slot, self.lengths[k], row, volume)
        return 0

    cdef int open(self, Slot* slot, int64_t length, const QuoteRow* row,
                  double volume) noexcept:
        slot.time = floor_to(row.time, length)
        slot.newest = row.time
        slot.open = slot.high = slot.low = slot.close = row.fields.last
        slot.volume = volume
        slot.forming = slot.changed = True
        if slot.time + length < self.next_close:
            self.next_close = slot.time + length
        return 0

    cdef int close(self, size_t s, size_t k) except -1:
        cdef Slot* slot = &self.slots[s * self.lengths.size() + k]
        self.emit(s, k, True)
        slot.forming = slot.changed = False
        slot.time += self.lengths[k]
        return 0

    cdef int emit(self, size_t s, size_t k, bint closed) except -1:
        cdef Slot* slot = &self.slots[s * self.lengths.size() + k]
        cdef CandleRow row
        memcpy(row.symbol, self.symbols[s].name, 32)
        memcpy(row.timeframe, &self.labels[8 * k], 8)
        row.time = slot.time
        row.open = slot.open
        row.high = slot.high
        row.low = slot.low
        row.close = slot.close
        row.volume = slot.volume
        row.closed = closed
        self.out.push_back(row)
        return 0

    cdef size_t find(self, const char* name) except? 0:
        """The symbol's index; a new one gets its slots."""
        cdef string key = string(name, strnlen(name, 32))
        cdef unordered_map[string, uint32_t].iterator it = self.index.find(key)
        if it != self.index.end():
            return cython.operator.dereference(it).second
        cdef uint32_t s = <uint32_t> self.symbols.size()
        cdef Symbol symbol
        memcpy(symbol.name, name, 32)
        cdef Slot empty
        memset(&empty, 0, sizeof(Slot))
        empty.time = INT64_MIN
        self.index[key] = s
        self.symbols.push_back(symbol)
        self.slots.resize(self.symbols.size() * self.lengths.size(), empty)
        return s

    cdef object rows(self):
        """What is in ``out``, as an array of its own."""
        result = np.empty(self.out.size(), CANDLE_DTYPE)
        cdef uint8_t[::1] raw
        if self.out.size():
            raw = result.view(np.uint8)
            memcpy(&raw[0], self.out.data(), self.out.size() * sizeof(CandleRow))
        return result


cdef inline int grow(Slot* slot, const QuoteRow* row, double volume) noexcept nogil:
    if row.fields.last > slot.high:
        slot.high = row.fields.last
    if row.fields.last < slot.low:
        slot.low = row.fields.last
    if row.time >= slot.newest:
        slot.newest = row.time
        slot.close = row.fields.last
    slot.volume += volume
    slot.changed = True
    return 0
