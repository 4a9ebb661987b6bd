"""The system's clocks, for live routers."""

from libc.stdint cimport int64_t
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec

import cython

from fastrouter.core.clock cimport Clock


@cython.final
cdef class SystemClock(Clock):
    """CLOCK_REALTIME, ns since the epoch. It cannot be set."""

    cdef int64_t now(self) noexcept:
        cdef timespec ts
        clock_gettime(CLOCK_REALTIME, &ts)
        return <int64_t>ts.tv_sec * 1000000000 + ts.tv_nsec

    def set(self, time: int) -> None:
        raise TypeError("the system clock cannot be set")


@cython.final
cdef class MonotonicClock(Clock):
    """CLOCK_MONOTONIC, ns since some moment in the past; never goes back. It cannot be set."""

    cdef int64_t now(self) noexcept:
        cdef timespec ts
        clock_gettime(CLOCK_MONOTONIC, &ts)
        return <int64_t>ts.tv_sec * 1000000000 + ts.tv_nsec

    def set(self, time: int) -> None:
        raise TypeError("the system clock cannot be set")
