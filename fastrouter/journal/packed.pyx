"""An event as spool and tail hold it: one run of bytes.

::

    Packed, event type, symbol, account, body, up to the next multiple of 8

The body is the payload as JSON, of a closed candle its fields as C has them:
nothing is formatted while an event is published. It is read again on the
machine that wrote it.
"""

from libc.string cimport memcpy

from fastrouter.core.structs cimport CandleFields

from orjson import dumps

from fastrouter.journal.entry import Entry, compact

__all__ = ["unpack"]


cdef uint32_t packed_size(const Packed* head) noexcept:
    """Bytes that it takes, by the sizes of its parts."""
    return (<uint32_t>sizeof(Packed) + head.event_type_size + head.symbol_size
            + head.account_size + head.body_size + 7) & ~<uint32_t>7


cdef void pack(char* out, const Packed* head, const char* event_type, const char* symbol,
               const char* account, const char* body) noexcept:
    """Write head and parts to the `head.size` bytes at `out`."""
    (<uint64_t*>(out + head.size - 8))[0] = 0
    memcpy(out, head, sizeof(Packed))
    out += sizeof(Packed)
    memcpy(out, event_type, head.event_type_size)
    out += head.event_type_size
    memcpy(out, symbol, head.symbol_size)
    out += head.symbol_size
    memcpy(out, account, head.account_size)
    memcpy(out + head.account_size, body, head.body_size)


cdef object entry_of(const Packed* packed):
    """The Entry that it is."""
    cdef:
        const char* place = <const char*>packed + sizeof(Packed)
        const char* symbol = place + packed.event_type_size
        const char* account = symbol + packed.symbol_size
        const char* body = account + packed.account_size
        str event_type = place[:packed.event_type_size].decode()
    return Entry(
        packed.id, packed.seq, packed.time, event_type,
        symbol[:packed.symbol_size].decode(), account[:packed.account_size].decode(),
        candle_body(body) if "@" in event_type else body[:packed.body_size])


cdef bytes candle_body(const char* body):
    """The fields in the order of `entry.CANDLE_FIELDS`, as JSON."""
    cdef CandleFields fields
    memcpy(&fields, body, CANDLE_BYTES)
    return compact(dumps([fields.open, fields.high, fields.low, fields.close, fields.volume,
                          fields.time]))


def unpack(bytes data not None) -> Entry:
    """The entry in `data`. Raises ValueError when that is not what it holds."""
    cdef const Packed* packed = <const Packed*><const char*>data
    if (len(data) < <Py_ssize_t>sizeof(Packed) or packed.size != len(data)
            or packed_size(packed) != packed.size):
        raise ValueError(f"{len(data)} bytes are no event")
    return entry_of(packed)
