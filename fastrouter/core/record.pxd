from libc.stdint cimport int64_t, uint64_t

from fastrouter.core.matcher cimport Matcher
from fastrouter.core.structs cimport CandleFields, Topic


cdef class Record:
    cdef:
        readonly uint64_t id
        readonly uint64_t seq
        readonly int64_t time       # ns since the epoch, as stamped
        readonly str kind
        readonly str event_type
        readonly str symbol
        readonly str account
        readonly bytes body         # the payload as JSON; None for a candle
        object value                # the payload, None until somebody asks
        dict frames                 # dialect -> its frame, b"" when it sends none
        Matcher matcher             # that knows the topic
        Topic* topic
    cdef Topic* find_topic(self, Matcher matcher) except NULL


cdef class Recorder:
    cpdef record(self, Record record)
    cdef int candle(self, const Topic* topic, str event_type, const CandleFields* fields,
                    uint64_t id, uint64_t seq) except -1
    cdef int event(self, str kind, str symbol, str account, bytes body,
                   uint64_t id, uint64_t seq, int64_t time) except -1
