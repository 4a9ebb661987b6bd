"""The Trading API proxy's envelope: ``{"type", "id", <body>, "timestamp"}``.

Timestamps are ISO-8601 UTC with microseconds; decimals are JSON strings unless
the dialect is made with ``decimals="number"``. The body's key is the kind, but
``bar`` for a candle. A snapshot carries ``"snapshot":true`` at the end.

What commands of ORCH are answered with exists in the orchestrator's envelope only, and
comes in that.
"""

from libc.stdint cimport int64_t

import cython

from fastrouter.core.dialect cimport Dialect
from fastrouter.core.structs cimport MarketFields, Stamp, Topic, TopicText
from fastrouter.core.write cimport put, put_double, put_time, put_topic, put_u64
from fastrouter.dialects.numbers cimport put_after_bid, put_after_open

import orjson

from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.kinds import KINDS
from fastrouter.core.leaves import iso8601, parse_iso8601
from fastrouter.dialects.orchestrator import ANSWERS, Orchestrator
from fastrouter.dialects.payload import UNREADABLE, event_number, numbers, texts, unreadable
from fastrouter.errors import ConfigError

__all__ = ["TradingApi"]

#: kinds whose body has a key of another name
BODY_KEYS = {"candle": "bar"}

#: messages that are not events: their fields stand beside ``type``
FLAT = ("connection", "error", "ping", "rate_limit", "subscribed", "unsubscribed")

#: this dialect has no message for them
NOT_SENT_KINDS = ("strategy", "job", "risk")

DECIMALS = ("string", "number")

ORCHESTRATOR = Orchestrator()


@cython.final
cdef class TradingApi(Dialect):
    """``TradingApi(decimals="string" | "number")``; ConfigError for anything else."""

    wordless = NOT_SENT_KINDS

    def __init__(self, decimals: str = "string") -> None:
        if decimals not in DECIMALS:
            raise ConfigError(f"decimals is {decimals!r}; allowed: {', '.join(DECIMALS)}")
        super().__init__("trading-api")
        self.strings = decimals == "string"

    cdef Py_ssize_t encode_quote(self, char* out, TopicText* text, const Topic* topic,
                                 const Stamp* stamp, const MarketFields* value,
                                 bint snapshot) noexcept:
        cdef char* p = put(out, b'{"type":"quote","id":"evt_', 26)
        p = put_u64(p, stamp.id)
        p = put_topic(p, text)
        p = put_double(p, value.quote.bid, &text.scale[0])
        if self.strings:
            p = put(p, b'","ask":"', 9)
            p = put_double(p, value.quote.ask, &text.scale[1])
            p = put(p, b'","last":"', 10)
            p = put_double(p, value.quote.last, &text.scale[2])
            p = put(p, b'","bid_size":"', 14)
            p = put_double(p, value.quote.bid_size, &text.scale[3])
            p = put(p, b'","ask_size":"', 14)
            p = put_double(p, value.quote.ask_size, &text.scale[4])
            p = put(p, b'","seq":', 8)
        else:
            p = put_after_bid(p, text, value)
            p = put(p, b',"seq":', 7)
        p = put_u64(p, stamp.seq)
        return self.close_envelope(p, stamp.time, snapshot) - out

    cdef Py_ssize_t encode_candle(self, char* out, TopicText* text, const Topic* topic,
                                  const Stamp* stamp, const MarketFields* value,
                                  bint snapshot) except? -2:
        cdef char* p = put(out, b'{"type":"candle","id":"evt_', 27)
        p = put_u64(p, stamp.id)
        p = put_topic(p, text)
        p = put_double(p, value.candle.open, &text.scale[0])
        if self.strings:
            p = put(p, b'","high":"', 10)
            p = put_double(p, value.candle.high, &text.scale[1])
            p = put(p, b'","low":"', 9)
            p = put_double(p, value.candle.low, &text.scale[2])
            p = put(p, b'","close":"', 11)
            p = put_double(p, value.candle.close, &text.scale[3])
            p = put(p, b'","volume":"', 12)
            p = put_double(p, value.candle.volume, &text.scale[4])
            p = put(p, b'","timestamp":"', 15)
        else:
            p = put_after_open(p, text, value)
            p = put(p, b',"timestamp":"', 14)
        p = put_time(p, value.candle.time, &self.open_second)
        if value.candle.closed:
            p = put(p, b'","closed":true,"seq":', 22)
        else:
            p = put(p, b'","closed":false,"seq":', 23)
        p = put_u64(p, stamp.seq)
        return self.close_envelope(p, stamp.time, snapshot) - out

    cdef char* close_envelope(self, char* p, int64_t time, bint snapshot) noexcept:
        p = put(p, b'},"timestamp":"', 15)
        p = put_time(p, time, &self.second)
        if snapshot:
            return put(p, b'","snapshot":true}', 18)
        return put(p, b'"}', 2)

    def topic_text(self, symbol: str, timeframe: str) -> bytes:
        name = orjson.dumps(symbol)
        opening = b'"' if self.strings else b""
        if timeframe:
            return b'","bar":{"symbol":%b,"timeframe":"%b","open":%b' % (
                name, timeframe.encode(), opening)
        return b'","quote":{"symbol":%b,"bid":%b' % (name, opening)

    def encode(self, event):
        """``order`` events carry their payload's ``event`` right after ``type``."""
        kind = event.kind
        if kind in NOT_SENT_KINDS:
            return None
        body = event.payload
        message = {"type": kind}
        if isinstance(body, dict):
            if "event" in body:
                message["event"] = body["event"]
                body = {key: value for key, value in body.items() if key != "event"}
            if not self.strings:
                body = numbers(body)
        message["id"] = f"evt_{event.id}"
        message[BODY_KEYS.get(kind, kind)] = body
        message["timestamp"] = iso8601(event.time)
        return orjson.dumps(message)

    def control(self, kind: str, fields, time: int) -> bytes:
        if kind in ANSWERS:
            return ORCHESTRATOR.control(kind, fields, time)
        if kind == "welcome":
            kind, fields = "connection", {"event": "CONNECTED", **fields}
        return orjson.dumps({"type": kind, **fields, "timestamp": iso8601(time)})

    def decode(self, data: bytes):
        try:
            message = orjson.loads(data)
            kind = message["type"]
            if kind in ANSWERS:
                return ORCHESTRATOR.read(kind, message)
            return DECODERS.get(kind, decode_event)(message)
        except UNREADABLE as error:
            raise unreadable(self.name, error) from None


def decode_quote(message: dict):
    body = message["quote"]
    return Quote(
        body["symbol"],
        bid=float(body["bid"]), ask=float(body["ask"]), last=float(body["last"]),
        bid_size=float(body["bid_size"]), ask_size=float(body["ask_size"]),
        time=parse_iso8601(message["timestamp"]), id=event_number(message.get("id")),
        seq=body["seq"], snapshot=message.get("snapshot", False))


def decode_candle(message: dict):
    body = message["bar"]
    return Candle(
        body["symbol"], timeframe=body["timeframe"],
        open=float(body["open"]), high=float(body["high"]), low=float(body["low"]),
        close=float(body["close"]), volume=float(body["volume"]),
        time=parse_iso8601(body["timestamp"]), closed=body["closed"],
        id=event_number(message.get("id")), seq=body["seq"],
        snapshot=message.get("snapshot", False))


def decode_event(message: dict):
    kind = message["type"]
    stamp = message.get("timestamp")
    if kind in FLAT or kind not in message:
        payload = {key: value for key, value in message.items() if key != "type"}
    else:
        payload = message[kind]
        if kind in KINDS and isinstance(payload, dict):
            payload = texts(payload)
        if "event" in message:
            payload = {"event": message["event"], **payload}
    symbol = payload.get("symbol", "") if isinstance(payload, dict) else ""
    return Event(kind, payload, symbol=symbol,
                 time=parse_iso8601(stamp) if isinstance(stamp, str) else 0,
                 id=event_number(message.get("id")))


DECODERS = {"quote": decode_quote, "candle": decode_candle}
