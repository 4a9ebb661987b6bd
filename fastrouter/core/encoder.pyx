"""The dialects of one router, and the last value of a topic as a framed message."""

from libc.string cimport memcpy, memmove

import cython

from fastrouter.core.dialect cimport ASK_PYTHON
from fastrouter.core.frame cimport MAX_HEADER, TEXT, write_header
from fastrouter.core.structs cimport MAX_MARKET_FRAME, MarketFields, Stamp, TopicText

from fastrouter.core.event import Event, Quote
from fastrouter.errors import ConfigError, EventError

cdef enum:
    USUAL_HEADER = 4            # payloads of 126 to 65535 bytes


@cython.final
cdef class Encoder:
    """Dialect instances by number, and what each makes of a topic's value."""

    def __cinit__(self):
        self.dialects = []

    cdef int add(self, Dialect dialect) except -1:
        """The number of `dialect`, new or known."""
        if dialect in self.dialects:
            return self.dialects.index(dialect)
        if len(self.dialects) == MAX_DIALECTS:
            raise ConfigError(f"a router serves at most {MAX_DIALECTS} dialect instances")
        self.table[len(self.dialects)] = <void*>dialect
        self.dialects.append(dialect)
        return len(self.dialects) - 1

    cdef Py_ssize_t market(self, char* out, Topic* topic, uint8_t dialect,
                           bint snapshot) except -1:
        """Write the topic's value as one frame of at most MAX_MARKET_FRAME bytes.

        Returns its size in bytes, header included; 0 when the dialect does not send it.
        """
        cdef:
            Dialect table = <Dialect>self.table[dialect]
            TopicText* text = topic.texts[dialect]
            char* payload = out + USUAL_HEADER
            Py_ssize_t size
        if text == NULL:
            text = topic.texts[dialect] = table.new_text(topic)
        self.encoded += 1
        if topic.timeframe:
            size = table.encode_candle(payload, text, topic, &topic.stamp, &topic.value, snapshot)
        else:
            size = table.encode_quote(payload, text, topic, &topic.stamp, &topic.value, snapshot)
        if size >= 126:
            return size + <Py_ssize_t>write_header(out, TEXT, size)
        if size == ASK_PYTHON:
            return self._ask_python(out, topic, table, snapshot)
        if size > 0:
            memmove(out + 2, payload, size)
            size += <Py_ssize_t>write_header(out, TEXT, size)
        return size

    cdef bytes recorded(self, Record record, Topic* topic, uint8_t dialect):
        """The frame `record` was, or would have been, in this dialect; b"" when it sends none.

        `topic` is the record's. A frame is encoded once and stays with the record.
        """
        cdef:
            object table = self.dialects[dialect]
            bytes frame = record.frames.get(table)
        if frame is not None:
            return frame
        if record.body is None:
            frame = self._recorded_candle(record.payload, record, topic, dialect)
        else:
            self.encoded += 1
            frame = framed(table.encode(Event(
                record.kind, record.payload, symbol=record.symbol, time=record.time,
                id=record.id, account=record.account)))
        record.frames[table] = frame
        return frame

    cdef bytes _recorded_candle(self, Candle candle, Record record, Topic* topic,
                                uint8_t dialect):
        cdef:
            Stamp stamp
            MarketFields value
        stamp.id = record.id
        stamp.seq = record.seq
        stamp.time = record.time
        value.candle = candle.fields
        return self.as_it_was(topic, &stamp, &value, dialect)

    cdef bytes as_it_was(self, Topic* topic, const Stamp* stamp, const MarketFields* value,
                         uint8_t dialect):
        """The frame of a quote or candle when it was the topic's value: the value is lent to it."""
        cdef:
            char[MAX_MARKET_FRAME] out
            Stamp newest = topic.stamp
            MarketFields last = topic.value
            Py_ssize_t size
        topic.stamp = stamp[0]
        topic.value = value[0]
        try:
            size = self.market(out, topic, dialect, False)
        finally:
            topic.stamp = newest
            topic.value = last
        return out[:size]

    cdef Py_ssize_t _ask_python(self, char* out, Topic* topic, Dialect dialect,
                                bint snapshot) except -1:
        cdef:
            bytes payload
            size_t header
        payload = dialect.encode(as_event(topic, snapshot))
        if payload is None:
            return 0
        if len(payload) > MAX_MARKET_FRAME - MAX_HEADER:
            raise EventError(
                f"dialect {dialect.name!r} made {len(payload)} bytes of one market event; "
                f"allowed: {MAX_MARKET_FRAME - MAX_HEADER}")
        header = write_header(out, TEXT, len(payload))
        memcpy(out + header, <const char*>payload, len(payload))
        return header + len(payload)


cdef bytes framed(bytes payload):
    """One text frame; b"" for None."""
    cdef char[MAX_HEADER] header
    if payload is None:
        return b""
    return header[:write_header(header, TEXT, len(payload))] + payload


cdef object as_event(Topic* topic, bint snapshot):
    """The topic's value as a Quote or Candle."""
    symbol = topic.symbol[:topic.symbol_size].decode()
    if topic.timeframe:
        return Candle(
            symbol, timeframe=topic.timeframe_name.decode(), open=topic.value.candle.open,
            high=topic.value.candle.high, low=topic.value.candle.low,
            close=topic.value.candle.close, volume=topic.value.candle.volume,
            time=topic.value.candle.time, closed=topic.value.candle.closed, id=topic.stamp.id,
            seq=topic.stamp.seq, snapshot=snapshot)
    return Quote(
        symbol, bid=topic.value.quote.bid, ask=topic.value.quote.ask, last=topic.value.quote.last,
        bid_size=topic.value.quote.bid_size, ask_size=topic.value.quote.ask_size,
        time=topic.stamp.time, id=topic.stamp.id, seq=topic.stamp.seq, snapshot=snapshot)
