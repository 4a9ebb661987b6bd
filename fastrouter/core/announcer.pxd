from libc.stdint cimport int64_t, uint64_t, uint8_t

from fastrouter.core.encoder cimport Encoder
from fastrouter.core.event cimport Event
from fastrouter.core.flusher cimport Flusher
from fastrouter.core.matcher cimport Matcher
from fastrouter.core.structs cimport Topic


cdef class Announcer:
    cdef:
        Encoder encoder
        Matcher matcher
        Flusher flusher
        readonly size_t limit           # bytes of one event in any dialect
    cdef list encode(self, Topic* topic, Event event)
    cdef list say(self, Topic* topic, str kind, dict fields, int64_t now)
    cdef int offer(self, Topic* topic, uint64_t number, list encoded, uint8_t lane,
                   str account) except -1
