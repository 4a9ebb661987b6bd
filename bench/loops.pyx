"""The loops of the suites, in C, so that no call from Python is in their figures."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc

import cython

from fastrouter.core.dialect cimport Dialect
from fastrouter.core.encoder cimport Encoder
from fastrouter.core.frame cimport frame_size
from fastrouter.core.matcher cimport Matcher
from fastrouter.core.rows cimport CandleRow, QuoteRow
from fastrouter.core.structs cimport MAX_MARKET_FRAME, MarketFields, Stamp, Topic

from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE

cdef extern from "<string.h>" nogil:
    size_t strnlen(const char* text, size_t most) noexcept

cdef extern from "leaves.hpp" nogil:
    size_t double_leaf(const double* items, size_t n, char* out)
    size_t double_to_chars(const double* items, size_t n, char* out)
    size_t u64_leaf(const uint64_t* items, size_t n, char* out)
    size_t u64_to_chars(const uint64_t* items, size_t n, char* out)
    size_t iso8601_leaf(const int64_t* items, size_t n, char* out)
    void intern_fill(const char* keys, size_t n)
    void intern_release()
    size_t intern_sum(const char* keys, size_t n)


cdef struct Item:
    Topic* topic
    Stamp stamp
    MarketFields value


@cython.final
cdef class EncodeLoop:
    """Encodes the rows of an array of QUOTE_DTYPE or CANDLE_DTYPE, framed, one after the other.

    The first event has the number `first_id`; sequences begin at 1 for each
    topic. The topics are looked up here, once; `run` only sets their values and
    encodes them.
    """

    cdef:
        Encoder encoder
        Matcher matcher
        Item* items
        Py_ssize_t count
        char* out
        Py_ssize_t size             # bytes of the last run

    def __cinit__(self, Dialect dialect not None, rows not None, uint64_t first_id):
        cdef Py_ssize_t i
        self.encoder = Encoder()
        self.encoder.add(dialect)
        self.matcher = Matcher()
        self.count = len(rows)
        self.items = <Item*>malloc(self.count * sizeof(Item))
        self.out = <char*>malloc(self.count * MAX_MARKET_FRAME)
        if self.items == NULL or self.out == NULL:
            raise MemoryError()
        if rows.dtype == QUOTE_DTYPE:
            self.take_quotes(rows.view("u1"))
        elif rows.dtype == CANDLE_DTYPE:
            self.take_candles(rows.view("u1"))
        else:
            raise ValueError(f"rows are of {rows.dtype}; allowed: QUOTE_DTYPE, CANDLE_DTYPE")
        for i in range(self.count):
            self.items[i].topic.stamp.seq += 1
            self.items[i].stamp.seq = self.items[i].topic.stamp.seq
            self.items[i].stamp.id = first_id + i

    def __dealloc__(self):
        free(self.items)
        free(self.out)

    cdef int take_quotes(self, const unsigned char[::1] rows) except -1:
        cdef:
            const QuoteRow* row = <const QuoteRow*>&rows[0]
            Py_ssize_t i
        for i in range(self.count):
            self.items[i].topic = self.matcher.topic(0, row[i].symbol, strnlen(row[i].symbol, 32))
            self.items[i].value.quote = row[i].fields
            self.items[i].stamp.time = row[i].time
        return 0

    cdef int take_candles(self, const unsigned char[::1] rows) except -1:
        cdef:
            const CandleRow* row = <const CandleRow*>&rows[0]
            Item* item
            Py_ssize_t i
        for i in range(self.count):
            item = &self.items[i]
            timeframe = row[i].timeframe[:strnlen(row[i].timeframe, 8)].decode()
            item.topic = self.matcher.topic(
                self.matcher.row("candle@" + timeframe), row[i].symbol, strnlen(row[i].symbol, 32))
            item.value.candle.open = row[i].open
            item.value.candle.high = row[i].high
            item.value.candle.low = row[i].low
            item.value.candle.close = row[i].close
            item.value.candle.volume = row[i].volume
            item.value.candle.time = row[i].time
            item.value.candle.closed = row[i].closed
            item.stamp.time = row[i].time + item.topic.timeframe
        return 0

    def run(self) -> int:
        """Encode all; the bytes written, headers included."""
        cdef:
            Item* item = self.items
            Item* end = item + self.count
            char* p = self.out
        while item != end:
            item.topic.stamp = item.stamp
            item.topic.value = item.value
            p += self.encoder.market(p, item.topic, 0, False)
            item += 1
        self.size = p - self.out
        return self.size

    def payloads(self) -> list[bytes]:
        """The messages of the last run."""
        cdef:
            list found = []
            Py_ssize_t at = 0, size, header
        while at < self.size:
            size = frame_size(self.out + at)
            header = 2 if size < 2 + 126 else 4
            found.append(self.out[at + header:at + size])
            at += size
        return found


def write_doubles(const double[::1] items, unsigned char[::1] out, bint standard) -> int:
    """Write the items with a comma after each, `standard` by std::to_chars; the bytes written.

    `out` holds 33 bytes an item.
    """
    if standard:
        return double_to_chars(&items[0], items.shape[0], <char*>&out[0])
    return double_leaf(&items[0], items.shape[0], <char*>&out[0])


def write_integers(const uint64_t[::1] items, unsigned char[::1] out, bint standard) -> int:
    """As `write_doubles`."""
    if standard:
        return u64_to_chars(&items[0], items.shape[0], <char*>&out[0])
    return u64_leaf(&items[0], items.shape[0], <char*>&out[0])


def write_times(const int64_t[::1] items, unsigned char[::1] out) -> int:
    """As `write_doubles`, ns since the epoch as ISO 8601."""
    return iso8601_leaf(&items[0], items.shape[0], <char*>&out[0])


@cython.final
cdef class InternLoop:
    """An intern table of `keys`, 8 bytes each. One at a time."""

    def __cinit__(self, const unsigned char[::1] keys not None):
        intern_fill(<const char*>&keys[0], keys.shape[0] // 8)

    def __dealloc__(self):
        intern_release()

    def sum(self, const unsigned char[::1] keys not None) -> int:
        """The sum of the numbers of these keys."""
        return intern_sum(<const char*>&keys[0], keys.shape[0] // 8)
