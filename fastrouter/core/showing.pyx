"""When forming candles are sent: at most once a second and topic, and the last of them always.

After a silence one is sent at once; what changes within a second of that waits for its turn.
Built candles wait by symbol, since a quote changes all of its timeframes; those from outside
by topic.
"""

import cython

from libc.stdint cimport INT64_MAX

from fastrouter.core.structs cimport TURN_LISTED, TURN_WAITS

cdef enum:
    SECOND = 1000000000     # ns
    # ns; a second, less the jitter of the timer of a feed that sends one each second: turns
    # this near each other are one
    LEAST = 950000000


cdef inline bint is_early(int64_t shown, int64_t now) noexcept:
    return shown and shown <= now < shown + LEAST


@cython.final
cdef class Showing:
    """Whose forming candles wait for their turn. ``Showing(timer, builder)``."""

    def __cinit__(self, Clock timer, CandleBuilder builder):
        self.timer = timer
        self.builder = builder
        self.due = INT64_MAX

    cdef int changed(self, Forming* forming) except -1:
        """A symbol's built candles are to be sent; it did not wait for that yet."""
        self.symbols.push_back(forming)
        forming.waits = True
        return 0

    cdef bint too_soon(self, Topic* topic) except -1:
        """Does this candle from outside have to wait? Its topic's value is sent when it may."""
        cdef int64_t now = self.timer.now()
        if not is_early(topic.shown, now):
            topic.shown = now
            topic.turn &= ~TURN_WAITS
            return False
        if not topic.turn & TURN_LISTED:
            self.topics.push_back(topic)
        topic.turn = TURN_LISTED | TURN_WAITS
        self._wait_until(topic.shown + SECOND)
        return True

    cdef int show_new(self, vector[Built]* shown) except -1:
        """Add to `shown` what changed and may be sent at once; the rest is given a turn."""
        self._show_symbols(self.known, self.timer.now(), shown)
        return 0

    cdef int show_due(self, vector[Built]* shown) except -1:
        """Add to `shown` all whose turn has come."""
        cdef:
            int64_t now
            Forming* forming
            Topic* topic
        if self.due == INT64_MAX:
            return 0
        now = self.timer.now()
        if now < self.due:
            return 0
        self._show_symbols(0, now, shown)
        self._show_topics(now, shown)
        self.due = INT64_MAX
        for forming in self.symbols:
            self._wait_until(forming.shown + SECOND)
        for topic in self.topics:
            self._wait_until(topic.shown + SECOND)
        self.rearm = False
        return 0

    cdef int _show_symbols(self, size_t first, int64_t now, vector[Built]* shown) except -1:
        """Of those from place `first` on, the ones whose turn has come."""
        cdef:
            size_t i = first
            Forming* forming
        while i < self.symbols.size():
            forming = self.symbols[i]
            if is_early(forming.shown, now):
                self._wait_until(forming.shown + SECOND)
                i += 1
                continue
            self.symbols[i] = self.symbols.back()
            self.symbols.pop_back()
            forming.waits = False
            if self.builder.show(forming, shown):
                forming.shown = now
        self.known = self.symbols.size()
        return 0

    cdef int _show_topics(self, int64_t now, vector[Built]* shown) except -1:
        cdef:
            size_t i = 0
            Topic* topic
            Built built
        while i < self.topics.size():
            topic = self.topics[i]
            if topic.turn & TURN_WAITS and is_early(topic.shown, now):
                i += 1
                continue
            self.topics[i] = self.topics.back()
            self.topics.pop_back()
            if topic.turn & TURN_WAITS:
                built.topic = topic
                built.fields = topic.value.candle
                shown.push_back(built)
                topic.shown = now
            topic.turn = 0
        return 0

    cdef void _wait_until(self, int64_t due) noexcept:
        if due < self.due:
            self.due = due
            self.rearm = True
