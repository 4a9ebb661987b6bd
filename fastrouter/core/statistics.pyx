"""What a symbol did within the last 24 hours: open, high, low, volume, change.

Kept in intervals of five minutes: a day is the 288 intervals up to that of the symbol's
newest quote. Its open is the last price before them, or the first in them of a symbol that
is younger. An interval without a quote takes no memory; all 288 of them take 11.5 KB a symbol.

A quote costs the same however many there are; the first one of an interval walks the
intervals, 288 at most. A quote older than the newest interval is left out; one within it,
but older than the newest quote, counts for high, low and volume.
"""

from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, realloc
from libc.string cimport memmove

from fastrouter.core.structs cimport Interval

from fastrouter.core.day import Day

cdef int64_t INTERVAL = 300_000_000_000     # ns
cdef int64_t DAY = 86_400_000_000_000

cdef enum:
    FIRST_CAPACITY = 4
    INTERVALS = 288


cdef int grow(DayStats* day) except -1:
    cdef:
        uint32_t capacity = min(2 * day.capacity or FIRST_CAPACITY, <uint32_t>INTERVALS)
        Interval* intervals = <Interval*>realloc(day.intervals, capacity * sizeof(Interval))
    if intervals == NULL:
        raise MemoryError()
    day.intervals = intervals
    day.capacity = capacity
    return 0


cdef void move(DayStats* day, int64_t begin) noexcept:
    """Begin the day at `begin`, unless it does so already or later."""
    cdef uint32_t gone = 0
    while gone < day.count and day.intervals[gone].time < begin:
        gone += 1
    if gone:
        day.open = day.intervals[gone - 1].close
        day.count -= gone
        memmove(day.intervals, day.intervals + gone, day.count * sizeof(Interval))
    day.since = max(day.since, begin)


cdef void sum_up(DayStats* day) noexcept:
    """High, low and volume of the intervals; there is at least one."""
    cdef uint32_t i
    day.high = day.intervals[0].high
    day.low = day.intervals[0].low
    day.volume = 0
    for i in range(day.count):
        day.high = max(day.high, day.intervals[i].high)
        day.low = min(day.low, day.intervals[i].low)
        day.volume += day.intervals[i].volume


cdef int begin_interval(DayStats* day, int64_t time, double price, double volume) except -1:
    cdef:
        int64_t rest = time % INTERVAL
        Interval* last
    time -= rest + (INTERVAL if rest < 0 else 0)
    move(day, time + INTERVAL - DAY)
    if day.count == day.capacity:
        grow(day)
    last = &day.intervals[day.count]
    last.time = time
    last.high = last.low = last.close = price
    last.volume = volume
    day.count += 1
    sum_up(day)
    return 0


cdef int add_to_day(Topic* topic, int64_t time, double price, double volume) except -1:
    """Count a quote of a quote topic; `time` in ns since the epoch, within 2^62 of it."""
    cdef:
        DayStats* day = topic.day
        Interval* last
    if day == NULL:
        day = topic.day = <DayStats*>calloc(1, sizeof(DayStats))
        if day == NULL:
            raise MemoryError()
        day.open = day.last = price
        day.since = day.newest = time
    last = &day.intervals[day.count - 1] if day.count else NULL
    if last == NULL or time - last.time >= INTERVAL:
        begin_interval(day, time, price, volume)
    elif time < last.time:
        return 0
    else:
        last.high = max(last.high, price)
        last.low = min(last.low, price)
        last.volume += volume
        day.high = max(day.high, price)
        day.low = min(day.low, price)
        day.volume += volume
    if time >= day.newest:
        day.newest = time
        day.last = day.intervals[day.count - 1].close = price
    return 0


cdef object day_of(const Topic* topic):
    """The topic's `Day`, or None."""
    cdef const DayStats* day = topic.day
    if day == NULL:
        return None
    return Day(day.open, day.high, day.low, day.volume, day.last, change_24h(day), day.since)
