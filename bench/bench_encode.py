"""One quote or candle to a framed message, beside orjson and json making the same JSON.

Encoding is a loop in C over 10,000 quotes of 200 symbols whose prices walk and whose sizes change:
each sets its topic's value, writes it and the frame's header. The others are driven by ``map``, so
that hardly anything but their own call is timed, and write no header. Building a dict starts from
Python objects, the text of its time included.
"""

import json
from collections import deque

import orjson
import pytest

from fastrouter.bench.aims import Aim, ns, ratio
from fastrouter.bench.loops import EncodeLoop
from fastrouter.bench.stream import candles, quotes
from fastrouter.core.leaves import iso8601, parse_iso8601
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.dialects import load

ITEMS = 10_000
FIRST_ID = 1_000_000
DECIMALS = ("string", "number")

#: dialect of numbers -> what makes the messages that it should write
NUMERIC = {
    "orchestrator": lambda row: wrapped_dict("data", *row),
    "dgbit": lambda row: wrapped_dict("payload", *row),
    "botcore": lambda row: market_dict(*row),
}

AIMS = [
    aim
    for form in DECIMALS
    for aim in (
        Aim(f"a framed quote, {form} decimals, ns", 150, ns(f"quote[{form}]")),
        Aim(
            "... to orjson.dumps of a dict that exists",
            1 / 3,
            ratio(f"quote[{form}]", f"orjson_of_a_dict[{form}]"),
        ),
        Aim(
            "... to building the dict and orjson.dumps",
            1 / 6,
            ratio(f"quote[{form}]", f"orjson_building_it[{form}]"),
        ),
    )
]
AIMS += [Aim(f"a framed quote, {name}, ns", 150, ns(f"quote_of[{name}]")) for name in NUMERIC]


def numbered(rows):
    """The rows as Python objects, each with the id and sequence of its event."""
    last = {}
    for number, row in enumerate(rows.tolist(), FIRST_ID):
        symbol = row[0].decode()
        last[symbol] = last.get(symbol, 0) + 1
        yield number, last[symbol], symbol, *row[1:]


def quote_dict(number, seq, symbol, time, bid, ask, last, bid_size, ask_size):
    return {
        "type": "quote",
        "id": f"evt_{number}",
        "quote": {
            "symbol": symbol,
            "bid": bid,
            "ask": ask,
            "last": last,
            "bid_size": bid_size,
            "ask_size": ask_size,
            "seq": seq,
        },
        "timestamp": time,
    }


def quote_dict_of_strings(number, seq, symbol, time, bid, ask, last, bid_size, ask_size):
    return quote_dict(
        number, seq, symbol, time, str(bid), str(ask), str(last), str(bid_size), str(ask_size)
    )


BUILD = {"string": quote_dict_of_strings, "number": quote_dict}


def candle_dict(number, seq, symbol, timeframe, time, o, h, low, c, volume, closed):
    name = timeframe.decode()
    body = {"symbol": symbol, "timeframe": name, "open": o, "high": h, "low": low, "close": c}
    body |= {"volume": volume, "timestamp": iso8601(time), "closed": closed, "seq": seq}
    stamp = iso8601(time + TIMEFRAMES[name])
    return {"type": "candle", "id": f"evt_{number}", "bar": body, "timestamp": stamp}


def wrapped_dict(key, number, seq, symbol, time, bid, ask, last, bid_size, ask_size):
    body = {"symbol": symbol, "bid": bid, "ask": ask, "last": last}
    body |= {"bid_size": bid_size, "ask_size": ask_size, "seq": seq, "event_id": f"evt_{number}"}
    return {"type": "quote", "timestamp": time.replace(".000000Z", "Z"), key: body}


def market_dict(number, seq, symbol, time, bid, ask, last, bid_size, ask_size):
    """Without statistics of the day."""
    ms = parse_iso8601(time) // 1_000_000
    body = {"symbol": symbol, "price": last, "change_24h": 0, "volume_24h": 0}
    body |= {"high_24h": last, "low_24h": last, "bid": bid, "ask": ask, "last_update": ms}
    return {"type": "MarketData", "data": body, "timestamp": ms}


def as_sent(message, form):
    """The bytes of a message: decimals without ``.0``, in quotes for the string form."""
    for body in message.values():
        if isinstance(body, dict):
            for key, value in body.items():
                if isinstance(value, float):
                    short = int(value) if value.is_integer() else value
                    body[key] = str(short) if form == "string" else short
    return json.dumps(message, separators=(",", ":")).encode()


def arguments():
    """What `quote_dict` is called with, the text of the time ready."""
    return [
        (number, seq, symbol, iso8601(time), *values)
        for number, seq, symbol, time, *values in numbered(quotes(ITEMS))
    ]


def run_through(function, items):
    deque(map(function, items), maxlen=0)


@pytest.mark.parametrize("form", DECIMALS)
def test_quote(per_item, form):
    loop = EncodeLoop(load("trading-api", decimals=form), quotes(ITEMS), FIRST_ID)
    loop.run()
    assert loop.payloads() == [as_sent(quote_dict(*row), form) for row in arguments()]
    per_item(loop.run, ITEMS, rounds=300)


@pytest.mark.parametrize("name", NUMERIC)
def test_quote_of(per_item, name):
    loop = EncodeLoop(load(name), quotes(ITEMS), FIRST_ID)
    loop.run()
    assert loop.payloads() == [as_sent(NUMERIC[name](row), "number") for row in arguments()]
    per_item(loop.run, ITEMS, rounds=300)


@pytest.mark.parametrize("form", DECIMALS)
def test_candle(per_item, form):
    rows = candles(ITEMS)
    loop = EncodeLoop(load("trading-api", decimals=form), rows, FIRST_ID)
    loop.run()
    assert loop.payloads() == [as_sent(candle_dict(*row), form) for row in numbered(rows)]
    per_item(loop.run, ITEMS, rounds=300)


@pytest.mark.parametrize("form", DECIMALS)
def test_orjson_of_a_dict(per_item, form):
    messages = [BUILD[form](*row) for row in arguments()]
    assert [orjson.loads(orjson.dumps(message)) for message in messages] == messages
    per_item(lambda: run_through(orjson.dumps, messages), ITEMS)


@pytest.mark.parametrize("form", DECIMALS)
def test_orjson_building_it(per_item, form):
    build = BUILD[form]
    rows = arguments()
    assert orjson.loads(orjson.dumps(build(*rows[-1]))) == build(*rows[-1])

    def call():
        for row in rows:
            orjson.dumps(build(*row))

    per_item(call, ITEMS)


@pytest.mark.parametrize("form", DECIMALS)
def test_json_of_a_dict(per_item, form):
    messages = [BUILD[form](*row) for row in arguments()]
    assert json.loads(json.dumps(messages[-1])) == messages[-1]
    per_item(lambda: run_through(json.dumps, messages), ITEMS, rounds=20)
