"""What publish calls for each lossless event: pack it into the tail, and into the spool."""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport int64_t, uint64_t
from fastrouter.core.event cimport Candle
from fastrouter.core.record cimport Record, Recorder
from fastrouter.core.structs cimport CandleFields, Topic
from fastrouter.journal.packed cimport CANDLE_BYTES, Packed, pack, packed_size
from fastrouter.journal.spool cimport Spool
from fastrouter.journal.tail cimport Tail

__all__ = ["Keeper"]


cdef class Keeper(Recorder):
    """A Recorder that makes no Python object of what it keeps.

    `spool` and `writer` are a file's, None for memory only: `writer.wake()` is
    called when there is something in the spool it may not know of,
    `writer.make_room()` when it is full, and `writer.lose(id, again)` for what
    found no room (`again`: like the one before it).
    """

    cdef:
        readonly Tail tail
        readonly uint64_t recorded
        Spool spool
        object writer
        bint losing

    def __init__(self, Tail tail not None, Spool spool=None, writer=None):
        self.tail = tail
        self.spool = spool
        self.writer = writer

    cpdef record(self, Record record):
        """Keep one event."""
        cdef:
            bytes event_type, symbol
            Packed head
            Candle candle
        if record.body is not None:
            self.event(record.event_type, record.symbol, record.account, record.body,
                       record.id, record.seq, record.time)
            return
        candle = record.payload
        event_type, symbol = record.event_type.encode(), record.symbol.encode()
        head.event_type_size, head.symbol_size = len(event_type), len(symbol)
        head.account_size, head.body_size = 0, CANDLE_BYTES
        head.id, head.seq, head.time = record.id, record.seq, record.time
        self.keep(&head, event_type, symbol, b"", <const char*>&candle.fields)

    cdef int candle(self, const Topic* topic, str event_type, const CandleFields* fields,
                    uint64_t id, uint64_t seq) except -1:
        cdef:
            Packed head
            Py_ssize_t size
            const char* name = PyUnicode_AsUTF8AndSize(event_type, &size)
        head.event_type_size, head.symbol_size = size, topic.symbol_size
        head.account_size, head.body_size = 0, CANDLE_BYTES
        head.id, head.seq, head.time = id, seq, fields.time + topic.timeframe
        return self.keep(&head, name, topic.symbol, b"", <const char*>fields)

    cdef int event(self, str kind, str symbol, str account, bytes body,
                   uint64_t id, uint64_t seq, int64_t time) except -1:
        cdef:
            Packed head
            Py_ssize_t kind_size, symbol_size, account_size
            const char* name = PyUnicode_AsUTF8AndSize(kind, &kind_size)
            const char* topic = PyUnicode_AsUTF8AndSize(symbol, &symbol_size)
            const char* whose = PyUnicode_AsUTF8AndSize(account, &account_size)
        head.event_type_size, head.symbol_size = kind_size, symbol_size
        head.account_size, head.body_size = account_size, len(body)
        head.id, head.seq, head.time = id, seq, time
        return self.keep(&head, name, topic, whose, body)

    cdef int keep(self, Packed* head, const char* event_type, const char* symbol,
                  const char* account, const char* body) except -1:
        cdef char* place
        head.size = packed_size(head)
        place = self.tail.reserve(head.id, head.size)
        pack(place, head, event_type, symbol, account, body)
        if self.spool is not None:
            self.save(place, head)
        self.recorded += 1
        return 0

    cdef int save(self, const char* packed, const Packed* head) except -1:
        cdef bytes data = packed[:head.size]
        if not self.spool.append(data):
            if self.losing or not self.writer.make_room() or not self.spool.append(data):
                self.writer.lose(head.id, self.losing)
                self.losing = True
                return 0
        self.losing = False
        if not self.spool.noticed:
            self.spool.noticed = True
            self.writer.wake()
        return 0
