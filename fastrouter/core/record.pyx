"""Lossless events as they are kept, and who keeps them."""

import cython

import orjson

from fastrouter.core.event import Candle

__all__ = ["Record", "Recorder"]


@cython.final
cdef class Record:
    """One lossless event: any kind but quotes and candles, or a closed candle.

    `id`, `seq` and `time` (ns since the epoch) are its stamp, `event_type` what its
    topic ends with (``order``, ``candle@1m``), `account` whose it is ("": nobody's).
    `payload` is the body as JSON objects, for a candle the Candle.

    What was handed over is read at once and kept as `body`, JSON in bytes (None for
    a candle), so that a caller may go on with its own dict. Raises TypeError when
    that is not possible: a payload that is not JSON.
    """

    def __init__(self, *, str kind not None, str event_type not None, str symbol not None,
                 str account not None, payload, uint64_t id, uint64_t seq, int64_t time):
        self.kind = kind
        self.event_type = event_type
        self.symbol = symbol
        self.account = account
        self.id = id
        self.seq = seq
        self.time = time
        if isinstance(payload, Candle):
            self.value = payload
        else:
            # a copy: orjson leaves 4 KiB behind each result, and records are kept
            self.body = bytes(memoryview(orjson.dumps(payload)))
        self.frames = {}

    @property
    def payload(self):
        if self.value is None:
            self.value = orjson.loads(self.body)
        return self.value

    cdef Topic* find_topic(self, Matcher matcher) except NULL:
        """The record's topic in `matcher`, made when it is new there."""
        cdef bytes symbol
        if self.matcher is not matcher:
            symbol = self.symbol.encode()
            self.topic = matcher.topic(matcher.row(self.event_type), symbol, len(symbol))
            self.matcher = matcher
        return self.topic

    def __repr__(self):
        return (f"Record(kind={self.kind!r}, event_type={self.event_type!r}, "
                f"symbol={self.symbol!r}, account={self.account!r}, payload={self.payload!r}, "
                f"id={self.id}, seq={self.seq}, time={self.time})")


cdef class Recorder:
    """Keeps lossless events: subclass it and give `record`.

    A compiled one may give `candle` and `event` instead, which publish calls, and
    which make the Record; it is spared that.
    """

    cpdef record(self, Record record):
        """Keep one event. Called by publish before anybody is sent it.

        When it raises, the event is not published.
        """
        raise NotImplementedError(f"{type(self).__name__} keeps nothing")

    cdef int candle(self, const Topic* topic, str event_type, const CandleFields* fields,
                    uint64_t id, uint64_t seq) except -1:
        """Keep a closed candle that is about to be its topic's next value."""
        cdef str symbol = topic.symbol[:topic.symbol_size].decode()
        candle = Candle(
            symbol, timeframe=topic.timeframe_name.decode(), open=fields.open, high=fields.high,
            low=fields.low, close=fields.close, volume=fields.volume, time=fields.time,
            closed=True, id=id, seq=seq)
        self.record(Record(
            kind="candle", event_type=event_type, symbol=symbol, account="", payload=candle,
            id=id, seq=seq, time=fields.time + topic.timeframe))
        return 0

    cdef int event(self, str kind, str symbol, str account, bytes body,
                   uint64_t id, uint64_t seq, int64_t time) except -1:
        """Keep an event of any other kind; `body` is its payload as JSON."""
        cdef Record record = Record.__new__(Record)
        record.kind = record.event_type = kind
        record.symbol = symbol
        record.account = account
        record.body = body
        record.id = id
        record.seq = seq
        record.time = time
        record.frames = {}
        self.record(record)
        return 0
