"""The closes a candle topic remembers: what indicators are computed of.

The last 250 closed candles, 16 bytes each, in memory that grows as they come. Their times
rise: one that comes again replaces what it was, one that is older and new here is left out.
"""

from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, realloc
from libc.string cimport memcpy, memmove

from fastrouter.core.structs cimport MAX_HISTORY

import numpy as np

cdef enum:
    FIRST_CAPACITY = 8


cdef int grow(History* history) except -1:
    cdef:
        uint32_t capacity = min(2 * history.capacity or FIRST_CAPACITY, <uint32_t>MAX_HISTORY)
        int64_t* times = <int64_t*>realloc(history.times, capacity * sizeof(int64_t))
        double* closes = NULL
    if times != NULL:
        history.times = times
        closes = <double*>realloc(history.closes, capacity * sizeof(double))
    if closes == NULL:
        raise MemoryError()
    history.closes = closes
    history.capacity = capacity
    return 0


cdef uint32_t until(const History* history, int64_t time) noexcept:
    """How many candles opened at `time` or before."""
    cdef uint32_t low = 0, high = history.count, middle
    while low < high:
        middle = (low + high) // 2
        if history.times[middle] <= time:
            low = middle + 1
        else:
            high = middle
    return low


cdef int remember(Topic* topic, int64_t time, double close) except -1:
    """Add a closed candle by its open time (ns since the epoch)."""
    cdef:
        History* history = topic.history
        uint32_t place
    if history == NULL:
        history = topic.history = <History*>calloc(1, sizeof(History))
        if history == NULL:
            raise MemoryError()
    if history.count and history.times[history.count - 1] >= time:
        place = until(history, time)
        if place and history.times[place - 1] == time:
            history.closes[place - 1] = close
        return 0
    if history.count == MAX_HISTORY:
        history.count -= 1
        memmove(history.times, history.times + 1, history.count * sizeof(int64_t))
        memmove(history.closes, history.closes + 1, history.count * sizeof(double))
    elif history.count == history.capacity:
        grow(history)
    history.times[history.count] = time
    history.closes[history.count] = close
    history.count += 1
    return 0


cdef object closes_until(const Topic* topic, int64_t time):
    """The closes of the candles that opened at `time` (ns since the epoch) or before.

    A new array of float64, the oldest first; empty when nothing is remembered.
    """
    cdef:
        uint32_t count = 0 if topic.history == NULL else until(topic.history, time)
        double[::1] found
    closes = np.empty(count)
    if count:
        found = closes
        memcpy(&found[0], topic.history.closes, count * sizeof(double))
    return closes
