"""Who knows what time it is. Core never asks the system: it asks the clock it was given."""


cdef class Clock:
    """A clock that stands still until it is set.

    ``Clock(time=0)``: `time` in ns since the epoch. Live and simulated time
    differ by the clock alone; the system's own is ``fastrouter.net.clock.SystemClock``.
    """

    def __init__(self, time: int = 0) -> None:
        self.time = time

    cdef int64_t now(self) noexcept:
        return self.time

    def set(self, time: int) -> None:
        """Move to `time`, ns since the epoch."""
        self.time = time

    def time_ns(self) -> int:
        """The current time, ns since the epoch."""
        return self.now()
