"""Which topics have fallen silent: a stream that is connected but mute hurts most."""

from libc.stdint cimport int64_t, uint64_t
from libcpp.vector cimport vector

import cython

from fastrouter.core.router cimport Router
from fastrouter.core.structs cimport Topic


cdef extern from * nogil:
    """
    #define prefetch_read(address) __builtin_prefetch((address), 0)
    """
    void prefetch_read(const void* address) noexcept


cdef enum:
    QUOTE = 0                   # row of the event type
    AHEAD = 16                  # topics whose stamp is fetched before its turn


cdef struct Watched:
    uint64_t seq                # of the last value, when it was last looked at
    int64_t moved               # when it was first seen with that value, ns
    bint stale


@cython.final
cdef class Watchdog:
    """Notices quote topics whose last value has not changed for `silence_ns`.

    ``Watchdog(router, silence_ns)``; the owner calls `scan` at an interval of
    its choice, well below the silence: what it reports is late by at most that
    interval. A publish does nothing for it: a scan compares the topics'
    sequence numbers with those of the scan before. A topic is watched from the
    scan that first finds a value in it.
    """

    cdef:
        Router router
        int64_t silence
        vector[Watched] watched     # by place in the matcher's list of quote topics
        readonly size_t stale       # topics that were stale at the last scan

    def __init__(self, Router router not None, silence_ns: int) -> None:
        if silence_ns <= 0:
            raise ValueError(f"silence_ns is {silence_ns}; allowed: from 1")
        self.router = router
        self.silence = silence_ns

    def scan(self, now: int) -> tuple:
        """Look at all quote topics; `now` in ns, by any clock that does not go back.

        Returns two lists of (symbol, event type, silent ns): the topics that are
        stale since this scan, and those that were and have moved since, with how
        long they had been silent. Each is reported once.
        """
        cdef:
            vector[Topic*]* topics = self.router.matcher.event_types[QUOTE].topics
            size_t count = topics.size()
            size_t i
            Topic* topic
            Watched* watched
            int64_t time = now
            list stale = []
            list back = []
        self.watched.resize(count)
        for i in range(count):
            if i + AHEAD < count:
                prefetch_read(&topics[0][i + AHEAD].stamp)
            topic = topics[0][i]
            watched = &self.watched[i]
            if topic.stamp.seq != watched.seq:
                if watched.stale:
                    back.append(report(topic, time - watched.moved))
                    self.stale -= 1
                watched.seq = topic.stamp.seq
                watched.moved = time
                watched.stale = False
            elif watched.seq and not watched.stale and time - watched.moved >= self.silence:
                watched.stale = True
                stale.append(report(topic, time - watched.moved))
                self.stale += 1
        return stale, back

    def silent(self, now: int) -> list:
        """(symbol, event type, silent ns) of every topic that was stale at the last scan."""
        cdef:
            vector[Topic*]* topics = self.router.matcher.event_types[QUOTE].topics
            size_t i
            int64_t time = now
        return [report(topics[0][i], time - self.watched[i].moved)
                for i in range(self.watched.size()) if self.watched[i].stale]


cdef tuple report(const Topic* topic, int64_t silent):
    return topic.symbol[:topic.symbol_size].decode(), "quote", silent
