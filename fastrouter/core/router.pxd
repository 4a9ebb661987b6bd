from libc.stdint cimport int64_t, uint8_t, uint64_t
from libcpp.vector cimport vector

from fastrouter.core.announcer cimport Announcer
from fastrouter.core.batch cimport Batch
from fastrouter.core.candles cimport CandleBuilder
from fastrouter.core.clock cimport Clock
from fastrouter.core.encoder cimport Encoder
from fastrouter.core.event cimport Candle, Event, Quote
from fastrouter.core.flusher cimport Flusher
from fastrouter.core.matcher cimport Matcher
from fastrouter.core.moments cimport Moments
from fastrouter.core.outbox cimport Outbox
from fastrouter.core.record cimport Recorder
from fastrouter.core.showing cimport Showing
from fastrouter.core.structs cimport Built, CandleFields, QuoteFields, Topic
from fastrouter.core.tap cimport Tap
from fastrouter.core.watch cimport Watch


cdef class Router:
    cdef:
        readonly Flusher flusher
        readonly Encoder encoder
        Announcer announcer
        readonly Clock clock
        readonly Recorder recorder
        object validate             # (kind, payload) -> payload; None: as it is
        Matcher matcher
        Moments moments
        uint64_t notice_number          # of the last one: from 2^64 down, so that it is no id
        set outboxes
        Outbox apart                    # who is not offered what publish_apart() publishes
        readonly uint64_t last_id       # of the last event; 0 before the first
        size_t outbox_bytes
        readonly uint64_t throttled
        readonly bint statistics
        readonly str price
        bint by_mid
        int64_t ahead               # ns
        int64_t horizon             # the latest time that is not too far ahead, when last looked
        readonly uint64_t early     # quotes that were
        bint follows                # statistics or candles are made of quotes
        CandleBuilder builder
        Showing showing
        vector[Built] built         # candles about to be published
        readonly bint lossless
        uint8_t conflatable         # the lane of quotes and forming candles
        readonly Tap tap
        readonly Watch market           # for who trades
        bint stirred                # settle() has something to do about candles
        object __weakref__
    cdef int quote(self, const char* symbol, size_t size, const QuoteFields* fields,
                   int64_t time, double volume) except -1
    cdef int follow(self, Topic* topic, const QuoteFields* fields, int64_t time,
                    double volume) except -1
    cdef bint reached(self, int64_t time) noexcept
    cdef int publish_built(self) except -1
    cdef void spare(self, uint64_t id) noexcept
    cdef int put_candle(self, Topic* topic, const CandleFields* fields) except -1
    cdef int settle(self) except -1
    cdef int candle(self, uint8_t event_type, const char* symbol, size_t size,
                    const CandleFields* fields) except -1
    cdef int record(self, Event event, uint64_t seq) except -1
    cdef void stamp(self, Topic* topic, int64_t time) noexcept
    cdef int make_room(self, Topic* topic) except -1
    cdef int fan_out(self, Topic* topic, uint8_t lane) except -1
    cdef int publish_valid(self, str kind, payload, str symbol, int64_t time,
                           str account) except -1
    cdef int publish_quote(self, Quote quote) except -1
    cdef int publish_candle(self, Candle candle) except -1
    cdef int publish_quotes(self, Batch batch) except -1
    cdef int publish_candles(self, Batch batch) except -1
