"""Bot Core's envelope (CORE): ``{"type", "data", "timestamp"}``, times as Unix ms, numbers.

A quote is ``MarketData``, with what happened to the symbol within a day; a closed candle of
`TIMEFRAMES` is ``ChartUpdate``, with indicators of the closes up to that candle. The rest is
`core_messages`. These messages have no id: a session resumes by the ``last_id`` of its welcome.
"""

from libc.math cimport fabs, rint
from libc.stdint cimport uint8_t

from fastrouter.core.dialect cimport NOT_SENT, Dialect
from fastrouter.core.history cimport closes_until
from fastrouter.core.statistics cimport change_24h
from fastrouter.core.structs cimport DayStats, MarketFields, Stamp, Topic, TopicText
from fastrouter.core.write cimport put, put_double, put_ms, put_topic
from fastrouter.dialects.numbers cimport put_after_open

import orjson

from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.kinds import topic_symbol
from fastrouter.core.leaves import ns_to_ms
from fastrouter.dialects.core_messages import MAKERS, READERS, said
from fastrouter.dialects.indicators import Indicators, indicators
from fastrouter.dialects.payload import UNREADABLE, unreadable

__all__ = ["Botcore"]

#: of which charts are drawn
TIMEFRAMES = ("1m", "5m", "15m", "1h", "4h", "1d")

#: their keys, in the order they are sent
KEYS = tuple([b'"%b":' % name.encode() for name in Indicators._fields])

cdef enum:
    MILLISECOND = 1000000           # ns

cdef double FINE = 1e6              # sums and quotients are rounded to six decimals


cdef inline double rounded(double value) noexcept:
    """To six decimals, where a double has them."""
    return rint(value * FINE) / FINE if fabs(value) < 1e9 else value


cdef class Botcore(Dialect):
    """Dialect ``botcore``; decimals are numbers whatever `decimals` says.

    `makers` is kind -> function of `core_messages`.
    """

    def __init__(self, decimals: str = "number", name: str = "botcore",
                 makers: dict | None = None) -> None:
        super().__init__(name)
        self.makers = MAKERS if makers is None else makers

    cdef Py_ssize_t encode_quote(self, char* out, TopicText* text, const Topic* topic,
                                 const Stamp* stamp, const MarketFields* value,
                                 bint snapshot) noexcept:
        cdef:
            DayStats* day = topic.day
            double price = value.quote.last, high = price, low = price, volume = 0, change = 0
            char* p
            char* time
            size_t size
        if text.size == 0:
            return NOT_SENT
        if day != NULL:
            high, low, volume = day.high, day.low, rounded(day.volume)
            change = rounded(change_24h(day))
        p = put_topic(out, text)
        p = put_double(p, price, &text.scale[0])
        p = put(p, b',"change_24h":', 14)
        p = put_double(p, change, &text.scale[1])
        p = put(p, b',"volume_24h":', 14)
        p = put_double(p, volume, &text.scale[2])
        p = put(p, b',"high_24h":', 12)
        p = put_double(p, high, &text.scale[3])
        p = put(p, b',"low_24h":', 11)
        p = put_double(p, low, &text.scale[4])
        p = put(p, b',"bid":', 7)
        p = put_double(p, value.quote.bid, &text.scale[5])
        p = put(p, b',"ask":', 7)
        p = put_double(p, value.quote.ask, &text.scale[6])
        p = put(p, b',"last_update":', 15)
        time = p
        p = put_ms(p, stamp.time)
        size = p - time
        p = put(p, b'},"timestamp":', 14)
        p = put(p, time, size)
        return put(p, b'}', 1) - out

    cdef Py_ssize_t encode_candle(self, char* out, TopicText* text, const Topic* topic,
                                  const Stamp* stamp, const MarketFields* value,
                                  bint snapshot) except? -2:
        cdef char* p
        if text.size == 0 or not value.candle.closed:
            return NOT_SENT
        p = put_topic(out, text)
        p = put_ms(p, value.candle.time)
        p = put(p, b',"open":', 8)
        p = put_double(p, value.candle.open, &text.scale[0])
        p = put_after_open(p, text, value)
        p = put(p, b',"close_time":', 14)
        p = put_ms(p, value.candle.time + topic.timeframe)
        p = put(p, b'},"indicators":{', 16)
        p = put_indicators(p, indicators(closes_until(topic, value.candle.time)))
        p = put(p, b'}},"timestamp":', 15)
        p = put_ms(p, stamp.time)
        return put(p, b'}', 1) - out

    def topic_text(self, symbol: str, timeframe: str) -> bytes:
        """Nothing for candles of which no charts are drawn: they are not sent."""
        name = orjson.dumps(symbol)
        if not timeframe:
            return b'{"type":"MarketData","data":{"symbol":%b,"price":' % name
        if timeframe not in TIMEFRAMES:
            return b""
        return (b'{"type":"ChartUpdate","data":{"symbol":%b,"timeframe":"%b",'
                b'"candle":{"timestamp":' % (name, timeframe.encode()))

    def encode(self, event):
        maker = self.makers.get(event.kind)
        if maker is None or not isinstance(event.payload, dict):
            return None
        made = maker(event.payload, event)
        return None if made is None else self.message(*made, event.time)

    def message(self, kind: str, body, time: int) -> bytes:
        """One message in this envelope; `time` in ns since the epoch."""
        return orjson.dumps({"type": kind, "data": body, "timestamp": ns_to_ms(time)})

    def control(self, kind: str, fields, time: int) -> bytes:
        return self.message(*said(kind, fields, ns_to_ms(time)), time)

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
            return market(message["data"])
        stamp, body = message.get("timestamp", 0), message["data"]
        reader = READERS.get(kind)
        kind, payload = (kind.lower(), body) if reader is None else reader(body)
        return Event(kind, payload, symbol=topic_symbol(kind, payload), time=stamp * MILLISECOND)


cdef char* put_indicators(char* p, found) except NULL:
    """``"rsi":65.5,"macd":null``, without braces."""
    cdef:
        uint8_t scale = 0
        bytes key
    for key, value in zip(KEYS, found):
        p = put(p, key, len(key))
        if value is None:
            p = put(p, b'null', 4)
        else:
            p = put_double(p, value, &scale)
        p = put(p, b',', 1)
    return p - 1


def read_quote(body: dict):
    return Quote(body["symbol"], bid=float(body["bid"]), ask=float(body["ask"]),
                 last=float(body["price"]), time=body["last_update"] * MILLISECOND)


def read_candle(body: dict):
    candle = body["candle"]
    return Candle(
        body["symbol"], timeframe=body["timeframe"],
        open=float(candle["open"]), high=float(candle["high"]), low=float(candle["low"]),
        close=float(candle["close"]), volume=float(candle["volume"]),
        time=candle["timestamp"] * MILLISECOND, closed=True)


MARKET = {"MarketData": read_quote, "ChartUpdate": read_candle}
