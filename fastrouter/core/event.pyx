"""What is routed: quotes, candles, and every other event."""

from libc.math cimport isfinite

import cython

from fastrouter.core.timeframe import parse_timeframe
from fastrouter.errors import EventError

cdef int refuse(str where, tuple names, const double* values) except -1:
    for i, name in enumerate(names):
        if not isfinite(values[i]):
            raise EventError(f"{where}: {name} is {values[i]}; allowed: finite numbers")
    raise EventError(f"{where}: not finite")


cdef int check_quote(const QuoteFields* fields) except -1:
    """Raise EventError when a field is not a finite number."""
    # inf * 0 and nan * 0 are nan, and nan is not equal to itself: one test for five fields
    cdef double zero = (fields.bid * 0 + fields.ask * 0 + fields.last * 0
                        + fields.bid_size * 0 + fields.ask_size * 0)
    if zero != zero:
        refuse("quote", ("bid", "ask", "last", "bid_size", "ask_size"), &fields.bid)
    return 0


cdef int check_candle(const CandleFields* fields) except -1:
    """Raise EventError when a field is not a finite number."""
    cdef double zero = (fields.open * 0 + fields.high * 0 + fields.low * 0
                        + fields.close * 0 + fields.volume * 0)
    if zero != zero:
        refuse("candle", ("open", "high", "low", "close", "volume"), &fields.open)
    return 0


@cython.final
@cython.no_gc
cdef class Quote:
    """The best bid and ask of a symbol, and its last price.

    `bid`, `ask`, `last` are prices, `bid_size` and `ask_size` quantities: finite
    doubles. `last` defaults to the mid, rounded to 10 decimals, for feeds that
    have none. `time` is in ns since the epoch; 0 lets the router stamp it.

    A quote a client received also has `id` (of the event), `seq` (rises by one
    per topic: a hole was conflated or missed) and `snapshot`.

    Raises EventError for NaN and infinities. A quote does not change once built.
    """

    def __init__(self, str symbol not None, *, double bid, double ask, last=None,
                 double bid_size=0.0, double ask_size=0.0, int64_t time=0,
                 uint64_t id=0, uint64_t seq=0, bint snapshot=False):
        self.symbol = symbol
        self.time = time
        self.id = id
        self.seq = seq
        self.snapshot = snapshot
        self.fields.bid = bid
        self.fields.ask = ask
        self.fields.last = middle(bid, ask) if last is None else <double>last
        self.fields.bid_size = bid_size
        self.fields.ask_size = ask_size
        check_quote(&self.fields)

    @property
    def bid(self):
        return self.fields.bid

    @property
    def ask(self):
        return self.fields.ask

    @property
    def last(self):
        return self.fields.last

    @property
    def bid_size(self):
        return self.fields.bid_size

    @property
    def ask_size(self):
        return self.fields.ask_size

    def _key(self):
        return (self.symbol, self.bid, self.ask, self.last, self.bid_size, self.ask_size,
                self.time, self.id, self.seq, self.snapshot)

    def __eq__(self, other):
        return isinstance(other, Quote) and self._key() == (<Quote>other)._key()

    def __hash__(self):
        return hash(self._key())

    def __reduce__(self):
        return _quote, self._key()

    def __repr__(self):
        return (f"Quote({self.symbol!r}, bid={self.bid}, ask={self.ask}, last={self.last}, "
                f"bid_size={self.bid_size}, ask_size={self.ask_size}, time={self.time})")


@cython.final
@cython.no_gc
cdef class Candle:
    """Open, high, low, close and volume of a symbol over one timeframe.

    `time` is when the candle opened, ns since the epoch; `closed` says that it
    will not change any more. `timeframe` is a name of
    `fastrouter.core.timeframe.TIMEFRAMES`.

    A candle a client received also has `id`, `seq` and `snapshot`, as a Quote has.

    Raises EventError for NaN, infinities and an unknown timeframe. A candle
    does not change once built.
    """

    def __init__(self, str symbol not None, *, str timeframe not None="1m", double open,
                 double high, double low, double close, double volume=0.0, int64_t time=0,
                 bint closed=True, uint64_t id=0, uint64_t seq=0, bint snapshot=False):
        try:
            parse_timeframe(timeframe)
        except ValueError as error:
            raise EventError(f"candle: {error}") from None
        self.symbol = symbol
        self.timeframe = timeframe
        self.id = id
        self.seq = seq
        self.snapshot = snapshot
        self.fields.open = open
        self.fields.high = high
        self.fields.low = low
        self.fields.close = close
        self.fields.volume = volume
        self.fields.time = time
        self.fields.closed = closed
        check_candle(&self.fields)

    @property
    def open(self):
        return self.fields.open

    @property
    def high(self):
        return self.fields.high

    @property
    def low(self):
        return self.fields.low

    @property
    def close(self):
        return self.fields.close

    @property
    def volume(self):
        return self.fields.volume

    @property
    def time(self):
        return self.fields.time

    @property
    def closed(self):
        return bool(self.fields.closed)

    def _key(self):
        return (self.symbol, self.timeframe, self.open, self.high, self.low, self.close,
                self.volume, self.time, self.closed, self.id, self.seq, self.snapshot)

    def __eq__(self, other):
        return isinstance(other, Candle) and self._key() == (<Candle>other)._key()

    def __hash__(self):
        return hash(self._key())

    def __reduce__(self):
        return _candle, self._key()

    def __repr__(self):
        return (f"Candle({self.symbol!r}, timeframe={self.timeframe!r}, open={self.open}, "
                f"high={self.high}, low={self.low}, close={self.close}, volume={self.volume}, "
                f"time={self.time}, closed={self.closed})")


@cython.final
cdef class Event:
    """Any event that is not market data: an order, a trade, a signal, a connection state.

    `kind` is a word of `fastrouter.core.kinds.KINDS`, or on a client also
    ``connection``, ``error``, ``rate_limit`` and the answers of a session.
    `payload` is the body as JSON objects. `symbol` is empty for events that
    belong to none. `time` is in ns since the epoch; 0 lets the router stamp it.
    `account` says whose an event of `kinds.ACCOUNT_KINDS` is; "" lets the router
    find it (see `Router.publish`).
    """

    def __init__(self, str kind not None, payload, *, str symbol not None="", int64_t time=0,
                 uint64_t id=0, str account not None=""):
        self.kind = kind
        self.payload = payload
        self.symbol = symbol
        self.account = account
        self.time = time
        self.id = id

    def __repr__(self):
        return f"Event({self.kind!r}, {self.payload!r}, symbol={self.symbol!r}, time={self.time})"


def _quote(symbol, bid, ask, last, bid_size, ask_size, time, id, seq, snapshot):
    return Quote(symbol, bid=bid, ask=ask, last=last, bid_size=bid_size, ask_size=ask_size,
                 time=time, id=id, seq=seq, snapshot=snapshot)


def _candle(symbol, timeframe, open, high, low, close, volume, time, closed, id, seq, snapshot):
    return Candle(symbol, timeframe=timeframe, open=open, high=high, low=low, close=close,
                  volume=volume, time=time, closed=closed, id=id, seq=seq, snapshot=snapshot)
