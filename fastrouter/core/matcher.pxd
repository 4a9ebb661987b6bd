from libc.stdint cimport int64_t, uint8_t, uint32_t
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from fastrouter.core.clib cimport fr_intern
from fastrouter.core.structs cimport Group, OutboxState, Topic


cdef struct EventType:          # one row per entry of kinds.EVENT_TYPES
    fr_intern symbols           # symbol -> place in topics
    vector[Topic*]* topics
    vector[Group*]* wildcards   # groups of this event type with a * in the pattern
    int64_t timeframe           # ns; 0 when not a candle
    const char* timeframe_name


cdef class Matcher:
    cdef:
        EventType* event_types
        uint32_t event_type_count
        vector[Topic*] topics           # by index
        unordered_map[string, Group*] groups
        uint32_t dialects               # how many instances groups may name
        readonly tuple names            # of the event types
        dict accounts                   # those a session is allowed: name -> number, from 1
        dict rows                       # name -> row
        dict timeframe_names            # row -> bytes; keeps timeframe_name alive
    cdef Topic* topic(self, uint8_t event_type, const char* symbol, size_t size) except NULL
    cdef Topic* find(self, uint8_t event_type, const char* symbol, size_t size) noexcept
    cdef Topic* _add_topic(self, uint8_t event_type, const char* symbol, size_t size) except NULL
    cdef int _drop(self, Group* group) except -1
    cdef Group* group(self, uint8_t event_type, bytes pattern, uint8_t dialect) except NULL
    cdef Group* find_group(self, uint8_t event_type, bytes pattern, uint8_t dialect) noexcept
    cdef int join(self, Group* group, OutboxState* member) except -1
    cdef Py_ssize_t place(self, OutboxState* member, Group* group) noexcept
    cdef int leave(self, OutboxState* member, uint32_t place) except -1
    cdef bint market(self, int row) noexcept
    cdef uint32_t account(self, str name) except? 0
    cdef int row(self, str event_type) except -1
