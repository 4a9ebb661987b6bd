from libc.stdint cimport int64_t
from libc.stdlib cimport free

from fastrouter.core.structs cimport DayStats, Topic


cdef int add_to_day(Topic* topic, int64_t time, double price, double volume) except -1
cdef object day_of(const Topic* topic)


cdef inline double change_24h(const DayStats* day) noexcept:
    """Percent from the day's open to its last price; 0 when the open is 0."""
    return (day.last - day.open) / day.open * 100 if day.open else 0.0


cdef inline void forget_day(DayStats* day) noexcept:
    if day != NULL:
        free(day.intervals)
        free(day)
