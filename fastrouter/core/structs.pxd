"""The C structs of the hot path, in the order data meets them. Declarations only."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libcpp.unordered_set cimport unordered_set
from libcpp.vector cimport vector


cdef enum:
    MAX_DIALECTS = 16           # dialect instances one router can serve
    INLINE_REFS = 4             # references an outbox holds without a second cache line
    MAX_SYMBOL = 128            # bytes
    TEXT_CHUNK = 64             # bytes; what the memory of a TopicText's data is a multiple of
    MAX_MARKET_FRAME = 2048     # bytes; no encoded quote or candle is longer
    MAX_HISTORY = 250           # closed candles a topic remembers


cdef enum:                      # lanes: what may happen to an event when a session is slow
    CONFLATABLE = 0             # only the newest per topic is kept
    LOSSLESS = 1                # queued within the outbox bound, never dropped
    NOTICE = 2                  # the same, but about a topic, not its value; held sessions get it


cdef enum:                      # OutboxState.flags
    QUEUED = 1                  # stands in the flusher's queue
    OFF_RING = 2                # gets copies and dirty topics instead of references
    BLOCKED = 4                 # the sink takes nothing until resume()
    CLOSED = 8                  # gets nothing any more; freed when it leaves the queue
    CONTROL = 16                # control messages wait
    MUTE = 32                   # over its bound or broken: gets nothing, is about to be closed
    RUN = 64                    # `count` references without a hole, from inline_refs[0] on
    HELD = 128                  # OFF_RING, and no events: whoever holds it brings the lossless ones
    PACED = 256                 # OFF_RING, and owed topics are sent in rounds, an interval apart
    LATER = 512                 # stands among those that wait for their next round


cdef enum:                      # Topic.turn, of a forming candle that came too soon
    TURN_LISTED = 1             # it stands in the list of those that wait
    TURN_WAITS = 2              # ... and is still to be sent


cdef enum:                      # per topic, in OutboxCold.marks
    DIRTY = 1                   # the newest value is owed
    SNAPSHOT = 2                # ... and is the first this session sees of the topic
    OWED = 3                    # one of the two
    LISTED = 4                  # nothing is owed any more, but the topic stands in the list still


cdef struct Stamp:
    uint64_t id                 # rises over all events of a router
    uint64_t seq                # rises by one per topic
    int64_t time                # ns since the epoch


cdef struct QuoteFields:
    double bid
    double ask
    double last
    double bid_size
    double ask_size


cdef struct CandleFields:
    double open
    double high
    double low
    double close
    double volume
    int64_t time                # open time, ns since the epoch
    uint8_t closed


cdef union MarketFields:
    QuoteFields quote
    CandleFields candle


cdef struct Interval:           # five minutes of a symbol in which it had a quote
    int64_t time                # when they begin, ns since the epoch
    double high
    double low
    double close
    double volume


cdef struct DayStats:           # of a quote topic: the 24 hours up to its newest quote
    double open                 # price at `since`
    double high
    double low
    double volume
    double last                 # newest price
    int64_t since               # where they begin, ns since the epoch; never before the first quote
    int64_t newest              # time of the newest quote, ns since the epoch
    Interval* intervals         # by time
    uint32_t count
    uint32_t capacity


cdef struct History:            # of a candle topic: its last closed candles
    int64_t* times              # when they opened, ns since the epoch, rising
    double* closes
    uint32_t count
    uint32_t capacity


cdef struct Cell:               # the candle of one symbol and timeframe that is built
    int64_t time                # when it opened; while none forms, the first time not closed yet
    double open
    double high
    double low
    double volume
    Topic* topic
    uint8_t forming


cdef struct Forming:            # the candles of one symbol that are built
    int64_t newest              # time of the newest quote; its price is the close of them all
    int64_t end                 # quotes from `newest` to before this only change what forms
    double close
    int64_t shown               # timer when they were last sent, ns; 0: never
    uint8_t waits               # they changed since
    uint8_t live                # quotes come when they are made: the clock may close candles
    Cell* cells                 # one a timeframe


cdef struct Built:              # a candle to publish
    Topic* topic
    CandleFields fields


cdef struct TopicText:          # what a dialect renders once per topic
    char* data
    uint32_t size
    uint8_t scale[8]            # decimals each field had last time


cdef struct Topic:
    uint32_t index
    uint8_t event_type          # row in the matcher's table
    uint8_t has_value
    uint8_t delivered           # its candles come from outside: none are built
    uint8_t turn
    uint32_t symbol_size        # bytes
    uint8_t watched             # what is published goes to the router's Watch, too
    const char* symbol          # owned by the intern table; not NUL-terminated
    int64_t timeframe           # ns; 0 when it is not a candle
    const char* timeframe_name
    int64_t shown               # timer when a forming candle from outside was last sent, ns
    Stamp stamp                 # of the last value
    MarketFields value          # the last value
    DayStats* day               # of a quote topic; NULL when statistics are off or it had none
    History* history            # of a candle topic; NULL when statistics are off or none closed
    Forming* forming            # the symbol's candles that are built; NULL when none are
    vector[Group*]* groups      # that match, sorted by dialect
    TopicText* texts[MAX_DIALECTS]


cdef struct Group:              # one distinct (pattern, dialect): who subscribed to it
    uint8_t dialect
    uint8_t event_type
    uint8_t wildcard
    uint32_t pattern_size
    char* pattern
    vector[OutboxState*]* members
    vector[uint32_t]* places    # members[i] lists this group at held[places[i]]
    vector[Topic*]* topics      # that it matches


cdef struct Membership:
    Group* group
    uint32_t index              # place in group.members


cdef struct OutboxState:        # 64 bytes: one cache line per append
    uint32_t count              # references waiting
    uint32_t capacity
    uint32_t* refs              # `inline_refs` or heap; not written in a RUN
    uint64_t mark               # id of the last event offered: matched twice is sent once
    OutboxState* next           # in the flusher's queue
    OutboxCold* cold
    uint32_t flags
    uint32_t birth              # no reference waiting here is older
    uint32_t inline_refs[INLINE_REFS]


ctypedef OutboxState* StatePointer     # a template's argument must be a name


cdef struct Bytes:              # growable bytes, consumed from the front
    char* data
    size_t start
    size_t end
    size_t capacity


cdef struct OutboxCold:
    void* sink                  # borrowed `Sink`; its Outbox owns it
    uint8_t dialect
    vector[Membership]* held
    unordered_set[uint32_t]* accounts   # whose events it may see, by number; NULL: all
    Bytes control               # framed control messages
    Bytes backlog               # framed lossless events
    vector[uint32_t]* dirty     # topics in the order they became dirty; NULL while on the ring
    size_t dirty_head
    size_t round_end            # of the owed topics, those before this place are of this round
    int64_t pace                # ns from one round to the next; 0: there are none
    int64_t due                 # timer when the next may begin
    int64_t later               # what it is listed by while LATER: `due`
    vector[uint8_t]* marks      # one of those per topic index; NULL while on the ring
    size_t bound                # bytes control and backlog may hold, `replayed` not counted
    size_t replayed             # bytes of the backlog's front that replay() put there
    uint64_t delivered          # frames handed to the sink
    uint64_t conflated          # events replaced by a newer one of their topic
    uint32_t queued             # events in the backlog
    uint32_t owed               # topics in `dirty` that are owed
    uint8_t reason              # why it is MUTE: a row of counters.REASONS
