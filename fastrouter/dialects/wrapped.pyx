"""Envelopes of the form ``{"type", "timestamp", <body key>}`` with ISO-8601 times and numbers.

ORCH and DGBIT say so, with ``data`` and ``payload`` for the body. What neither of them
shows is ours: quotes, candles, and the kinds that have no message of their own there. The
bodies of those have the routed names, and ``event_id`` (``evt_<n>``), by which a session
resumes; quotes and candles ``seq`` too, and ``snapshot`` when they are one.

Times have no fraction when it is 0, as in the documents, else microseconds.
"""

from fastrouter.core.dialect cimport Dialect
from fastrouter.core.structs cimport MarketFields, Stamp, Topic, TopicText
from fastrouter.core.write cimport put, put_double, put_short_time, put_topic, put_u64
from fastrouter.dialects.numbers cimport put_after_bid, put_after_open

import orjson

from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.kinds import topic_symbol
from fastrouter.core.leaves import iso8601_short, parse_iso8601
from fastrouter.dialects.payload import UNREADABLE, event_number, unreadable

__all__ = ["Wrapped"]


cdef class Wrapped(Dialect):
    """What a dialect of that form needs beside its tables.

    - `body_key`: the key of the body;
    - `makers`: kind -> function(payload, event) that returns type and body, or None when
      that payload has no message; a kind without a row is not sent;
    - `readers`: type -> function(body) that returns kind and payload; of a type without a
      row it is the type and the body.
    """

    def __init__(self, name: str, body_key: str, makers: dict, readers: dict) -> None:
        super().__init__(name)
        self.body_key = body_key
        self.makers = makers
        self.readers = readers

    cdef Py_ssize_t encode_quote(self, char* out, TopicText* text, const Topic* topic,
                                 const Stamp* stamp, const MarketFields* value,
                                 bint snapshot) noexcept:
        cdef char* p = put(out, b'{"type":"quote","timestamp":"', 29)
        p = put_short_time(p, stamp.time, &self.second)
        p = put_topic(p, text)
        p = put_double(p, value.quote.bid, &text.scale[0])
        p = put_after_bid(p, text, value)
        return self.close_envelope(p, stamp, snapshot) - out

    cdef Py_ssize_t encode_candle(self, char* out, TopicText* text, const Topic* topic,
                                  const Stamp* stamp, const MarketFields* value,
                                  bint snapshot) except? -2:
        cdef char* p = put(out, b'{"type":"candle","timestamp":"', 30)
        p = put_short_time(p, stamp.time, &self.second)
        p = put_topic(p, text)
        p = put_double(p, value.candle.open, &text.scale[0])
        p = put_after_open(p, text, value)
        p = put(p, b',"timestamp":"', 14)
        p = put_short_time(p, value.candle.time, &self.open_second)
        if value.candle.closed:
            p = put(p, b'","closed":true', 15)
        else:
            p = put(p, b'","closed":false', 16)
        return self.close_envelope(p, stamp, snapshot) - out

    cdef char* close_envelope(self, char* p, const Stamp* stamp, bint snapshot) noexcept:
        p = put(p, b',"seq":', 7)
        p = put_u64(p, stamp.seq)
        p = put(p, b',"event_id":"evt_', 17)
        p = put_u64(p, stamp.id)
        if snapshot:
            return put(p, b'","snapshot":true}}', 19)
        return put(p, b'"}}', 3)

    def topic_text(self, symbol: str, timeframe: str) -> bytes:
        key, name = self.body_key.encode(), orjson.dumps(symbol)
        if timeframe:
            return b'","%b":{"symbol":%b,"timeframe":"%b","open":' % (
                key, name, timeframe.encode())
        return b'","%b":{"symbol":%b,"bid":' % (key, name)

    def encode(self, event):
        maker = self.makers.get(event.kind)
        if maker is None or not isinstance(event.payload, dict):
            return None
        made = maker(event.payload, event)
        return None if made is None else self.message(*made, event.time)

    def message(self, kind: str, body, time: int) -> bytes:
        """One message in this envelope; `time` in ns since the epoch."""
        return orjson.dumps({"type": kind, "timestamp": iso8601_short(time), self.body_key: body})

    def control(self, kind: str, fields, time: int) -> bytes:
        """The same kinds as trading-api, in this envelope; a welcome is a ``connection``."""
        if kind == "welcome":
            return self.message("connection", {"event": "CONNECTED", **fields}, time)
        return self.message(kind, fields, time)

    def decode(self, data: bytes):
        try:
            message = orjson.loads(data)
            return self.read(message["type"], message)
        except UNREADABLE as error:
            raise unreadable(self.name, error) from None

    def read(self, kind: str, message: dict):
        """The event of a message of that type; any exception of `decode` when it is none."""
        market = MARKET.get(kind)
        if market is not None:
            return market(message[self.body_key], parse_iso8601(message["timestamp"]))
        stamp = message.get("timestamp")
        if self.body_key in message:
            body = message[self.body_key]
        else:
            body = {key: value for key, value in message.items() if key != "type"}
        number = 0
        if isinstance(body, dict):
            body = dict(body)
            number = event_number(body.pop("event_id", None))
        reader = self.readers.get(kind)
        kind, payload = (kind, body) if reader is None else reader(body)
        return Event(kind, payload, symbol=topic_symbol(kind, payload), id=number,
                     time=parse_iso8601(stamp) if isinstance(stamp, str) else 0)


def read_quote(body: dict, time: int):
    return Quote(
        body["symbol"],
        bid=float(body["bid"]), ask=float(body["ask"]), last=float(body["last"]),
        bid_size=float(body["bid_size"]), ask_size=float(body["ask_size"]), time=time,
        id=event_number(body.get("event_id")), seq=body["seq"],
        snapshot=body.get("snapshot", False))


def read_candle(body: dict, time: int):
    return Candle(
        body["symbol"], timeframe=body["timeframe"],
        open=float(body["open"]), high=float(body["high"]), low=float(body["low"]),
        close=float(body["close"]), volume=float(body["volume"]),
        time=parse_iso8601(body["timestamp"]), closed=body["closed"],
        id=event_number(body.get("event_id")), seq=body["seq"],
        snapshot=body.get("snapshot", False))


MARKET = {"quote": read_quote, "candle": read_candle}
