"""publish(): stamp, match, encode once per dialect present, offer to the outboxes."""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.math cimport isfinite
from libc.stdint cimport INT64_MAX, uint32_t
from fastrouter.core.batch cimport Batch, candle_fields
from fastrouter.core.event cimport Event, middle
from fastrouter.core.history cimport closes_until, remember
from fastrouter.core.outbox cimport Outbox
from fastrouter.core.ring cimport short_time
from fastrouter.core.rows cimport CandleRow, QuoteRow, strnlen
from fastrouter.core.showing cimport is_new
from fastrouter.core.statistics cimport add_to_day, day_of
from fastrouter.core.structs cimport (
    CONFLATABLE, LOSSLESS, MAX_MARKET_FRAME, NOTICE, TURN_WAITS, Forming, Group,
)
from fastrouter.core.tally cimport tally

import numpy as np
from orjson import dumps

from fastrouter.core.counters import Counters
from fastrouter.core.kinds import KINDS, MARKET_KINDS, account_of, topic_symbol
from fastrouter.core.timeframe import parse_timeframe
from fastrouter.errors import EventError

__all__ = ["Router"]

# ns; beyond, before and after the epoch, times are too near the ends of int64 to reckon with
cdef int64_t LATEST_MARKET = INT64_MAX - 2 * 86_400_000_000_000

PRICES = ("last", "mid")

cdef enum:
    LEAST_RING = 1 << 16                # bytes
    LARGEST_RING = 1 << 20              # bytes; it should stay in the CPU's second cache


cdef class Router:
    """Routes events to outboxes. No I/O: sinks write, and `wake` says when to call `flush`.

    - `clock`: who stamps events that come without a time;
    - `timer`: by whom latencies and intervals are measured, a clock that does not go back;
      default: `clock`;
    - `outbox_bytes`: what one session may hold for itself before it is closed;
    - `total_bytes`: what all sessions may hold; beyond it the one that holds most is closed;
    - `recorder`: is given every lossless event before anybody is sent it;
    - `statistics`: keep each symbol's last 24 hours (see `day`), and the closes of each
      topic's last 250 closed candles;
    - `validate`: called with kind, payload and time of what is published by its kind; the payload
      it returns is published, or the Quote or Candle. Default: payloads are taken as they are;
    - `candles`: timeframes of candles to build from quotes, as ``("1s", "1m")``;
    - `ahead`: ns that a quote may be stamped ahead of `clock` and still make candles and
      statistics, for one from the far future would end all until then; None: any;
    - `price`: the quote's price that candles and statistics are of, ``"last"`` or ``"mid"``;
    - `lossless`: queue every event, quotes and forming candles too, and send each forming one
      from outside;
    - `tap`: is told of every event.

    A built candle is published before the quote that closes it; what forms, after it. See
    `fastrouter.core.candles` for the rules. ValueError for an unknown timeframe or price.

    The ring of frames holds as much, within 64 KiB and 1 MiB. When the session
    that waits longest lags by a quarter of it, `publish` sends in line.
    """

    def __init__(self, *, Clock clock not None, Clock timer=None, size_t outbox_bytes=1 << 20,
                 size_t total_bytes=256 << 20, Recorder recorder=None,
                 bint statistics=False, validate=None, candles=(), str price not None="last",
                 bint lossless=False, Tap tap=None, ahead=None):
        cdef size_t ring_bytes = LEAST_RING
        while ring_bytes < outbox_bytes and ring_bytes < LARGEST_RING:
            ring_bytes *= 2
        self.clock = clock
        self.recorder = recorder
        if price not in PRICES:
            raise ValueError(f"price is {price!r}; allowed: {', '.join(PRICES)}")
        self.statistics = statistics
        self.validate = validate
        self.price = price
        self.by_mid = price == "mid"
        self.ahead = 0 if ahead is None else ahead
        self.horizon = LATEST_MARKET if ahead is None else 0
        self.lossless = lossless
        self.conflatable = LOSSLESS if lossless else CONFLATABLE
        self.tap = tap
        self.outbox_bytes = outbox_bytes
        self.matcher = Matcher()
        self.market = Watch(self.matcher)
        self.moments = Moments()
        self.encoder = Encoder()
        self.flusher = Flusher(self.encoder, self.matcher, ring_bytes, ring_bytes // 4,
                               clock if timer is None else timer, total_bytes)
        self.announcer = Announcer(self.encoder, self.matcher, self.flusher, ring_bytes // 4)
        self.outboxes = set()
        self.builder = CandleBuilder(self.matcher, clock, candles)
        self.showing = Showing(self.flusher.timer, self.builder)
        self.follows = statistics or not self.builder.lengths.empty()

    def attach(self, sink, dialect, *, outbox_bytes=None) -> Outbox:
        """A new outbox that writes `dialect` to `sink`. It has no subscriptions yet.

        `outbox_bytes` bounds what it may hold for itself; default: the router's.
        """
        outbox = Outbox(self.flusher, self.matcher, sink, dialect, self.encoder.add(dialect),
                        self.outbox_bytes if outbox_bytes is None else outbox_bytes,
                        self.outboxes)
        self.outboxes.add(outbox)
        return outbox

    # ---------------------------------------------------------------- publish

    def publish(self, event, payload=None, *, str symbol=None, int64_t time=0,
                str account=None) -> int:
        """Route one event: ``publish(Quote | Candle | Event)`` or ``publish(kind, payload)``.

        Returns its id.

        With a kind, `payload` is the body as a dict; `symbol` defaults to
        `kinds.topic_symbol`, `time` (ns since the epoch) to now. An event of
        `kinds.ACCOUNT_KINDS` belongs to `account`, default its payload's
        ``account_id``, else DEFAULT_ACCOUNT. Only encodes, matches, records and
        appends: sending is the flusher's.

        Raises EventError for what cannot be routed; nothing is published then.
        """
        if type(event) is Quote:
            self.publish_quote(event)
        elif type(event) is Candle:
            self.publish_candle(event)
        elif type(event) is Event:
            self.publish_valid(event.kind, event.payload, event.symbol or None, event.time,
                               event.account)
        elif type(event) is str:
            self.publish_valid(event, payload, symbol, time, account)
        else:
            raise EventError(f"cannot publish {type(event).__name__}; allowed: Quote, Candle, "
                             "Event, or a kind and its payload")
        id = self.last_id
        self.settle()
        return id

    def publish_apart(self, event, Outbox apart not None) -> int:
        """`publish` an event that came from the client of `apart`, which is not offered it.

        Candles that it closes are offered to all.
        """
        apart.check_open()
        self.apart = apart
        self.spare(self.last_id + 1)
        try:
            return self.publish(event)
        finally:            # one that could not be published gives its id to another
            self.spare(0)
            self.apart = None

    cdef void spare(self, uint64_t id) noexcept:
        """Have the event `id` pass for one that `apart` was offered already."""
        if self.apart is not None and self.apart.state != NULL:
            self.apart.state.mark = id

    cdef int publish_quote(self, Quote quote) except -1:
        cdef:
            Py_ssize_t size
            const char* symbol = utf8(quote.symbol, &size)
        return self.quote(symbol, size, &quote.fields, quote.time, 1)

    cdef int publish_candle(self, Candle candle) except -1:
        cdef:
            Py_ssize_t size
            const char* symbol = utf8(candle.symbol, &size)
        return self.candle(self.matcher.rows["candle@" + candle.timeframe], symbol, size,
                           &candle.fields)

    cdef int publish_valid(self, str kind, payload, str symbol, int64_t time,
                           str account) except -1:
        if self.validate is not None:
            payload = self.validate(kind, payload, time)
        if type(payload) is Quote:
            return self.publish_quote(payload)
        if type(payload) is Candle:
            return self.publish_candle(payload)
        if symbol is None:
            symbol = topic_symbol(kind, payload)
        self.publish_event(kind, payload, symbol, time, account)
        return 0

    def publish_event(self, str kind, payload, str symbol, int64_t time,
                      str account=None) -> None:
        """Any kind but quote and candle, as it is; encoded by the dialects' Python encoders."""
        cdef:
            Topic* topic
            Py_ssize_t size
            const char* name = utf8(symbol, &size)
            list encoded
        if kind not in KINDS or kind in MARKET_KINDS:
            raise EventError(
                f"kind {kind!r} is not known; allowed: "
                f"{', '.join(k for k in KINDS if k not in MARKET_KINDS)}, a Quote or a Candle")
        if not isinstance(payload, (dict, list)):
            raise EventError(f"{kind}: payload is {type(payload).__name__}; allowed: dict, list")
        topic = self.matcher.topic(self.matcher.row(kind), name, size)
        event = Event(kind, payload, symbol=symbol, time=time or self.clock.now(),
                      id=self.last_id + 1, account=account_of(kind, payload, account))
        encoded = self.announcer.encode(topic, event)       # before anybody gets any
        if self.recorder is not None:
            self.record(event, topic.stamp.seq + 1)
        self.stamp(topic, event.time)
        self.flusher.moment = self.flusher.timer.now()
        self.moments.note(topic.stamp.id, self.flusher.moment)
        self.announcer.offer(topic, topic.stamp.id, encoded, LOSSLESS, event.account)
        if self.tap is not None:
            self.tap.event(topic.stamp.id, event)

    cdef int record(self, Event event, uint64_t seq) except -1:
        """Hand one event of any kind but quote and candle to the recorder."""
        try:
            body = dumps(event.payload)
        except TypeError as error:
            raise EventError(f"{event.kind}: payload is not JSON: {error}") from None
        self.recorder.event(event.kind, event.symbol, event.account, body, event.id, seq,
                            event.time)
        return 0

    def publish_batch(self, array, volumes=None) -> None:
        """Route all rows of a numpy array of QUOTE_DTYPE or CANDLE_DTYPE, in order.

        `volumes`: what was traded with each quote, for candles and statistics; default 1 each.

        Raises EventError naming the first bad row; nothing is published then.
        """
        cdef Batch batch = Batch(array, self.matcher, volumes)
        if batch.quotes != NULL:
            self.publish_quotes(batch)
        else:
            self.publish_candles(batch)
        self.settle()

    cdef int settle(self) except -1:
        """What was published is to be sent; so is what forms and may be."""
        if self.stirred:
            self.stirred = False
            if is_new(self.showing):
                self.showing.show_new(&self.built)
                self.publish_built()
            if self.showing.rearm or self.builder.rearm:
                self.showing.rearm = self.builder.rearm = False
                self.flusher.pacer.rearm = True     # the owner is told
        return self.flusher.poke()

    cdef int publish_quotes(self, Batch batch) except -1:
        cdef:
            const QuoteRow* row
            QuoteFields fields      # a row's own are not aligned
            Py_ssize_t i
        for i in range(batch.count):
            row = &batch.quotes[i]
            fields = row.fields
            self.quote(row.symbol, strnlen(row.symbol, 32), &fields, row.time,
                       1 if batch.volumes == NULL else batch.volumes[i])
        return 0

    cdef int publish_candles(self, Batch batch) except -1:
        cdef:
            const CandleRow* row
            CandleFields fields
            Py_ssize_t i
        for i in range(batch.count):
            row = &batch.candles[i]
            candle_fields(row, &fields)
            self.candle(batch.event_types[i], row.symbol, strnlen(row.symbol, 32), &fields)
        return 0

    cdef int quote(self, const char* symbol, size_t size, const QuoteFields* fields,
                   int64_t time, double volume) except -1:
        cdef Topic* topic = self.matcher.topic(0, symbol, size)
        if not time:
            time = self.clock.now()
        if self.follows:
            self.follow(topic, fields, time, volume)
        self.make_room(topic)
        self.stamp(topic, time)
        topic.value.quote = fields[0]
        topic.has_value = True
        if topic.watched:
            self.market.note(topic)
        if topic.groups.empty():
            return 0 if self.tap is None else self.tap.market(topic)
        return self.fan_out(topic, self.conflatable)

    cdef int follow(self, Topic* topic, const QuoteFields* fields, int64_t time,
                    double volume) except -1:
        """Count a quote that is about to be published; publish the candles it closes."""
        cdef:
            double price = middle(fields.bid, fields.ask) if self.by_mid else fields.last
            Forming* forming
        if not isfinite(price) or not -LATEST_MARKET < time < LATEST_MARKET:
            return 0
        if time > self.horizon and not self.reached(time):
            self.early += 1
            return 0
        if self.statistics:
            add_to_day(topic, time, price, volume)
        if self.builder.lengths.empty():
            return 0
        forming = self.builder.take(topic, time, price, volume, &self.built)
        if forming != NULL and not forming.waits:
            self.showing.changed(forming)
            self.stirred = True
        if self.builder.rearm:
            self.stirred = True
        if not self.built.empty():
            self.publish_built()
        return 0

    cdef bint reached(self, int64_t time) noexcept:
        """Look at the clock again: is `time` no further ahead of it than it may be?"""
        if self.horizon != LATEST_MARKET:
            self.horizon = self.clock.now() + self.ahead
        return time <= self.horizon

    cdef int publish_built(self) except -1:
        cdef size_t i
        self.spare(0)
        try:
            for i in range(self.built.size()):
                self.put_candle(self.built[i].topic, &self.built[i].fields)
        finally:
            self.built.clear()
            self.spare(self.last_id + 1)
        return 0

    cdef int candle(self, uint8_t event_type, const char* symbol, size_t size,
                    const CandleFields* fields) except -1:
        """A candle from outside: none are built for its topic from here on."""
        cdef Topic* topic = self.matcher.topic(event_type, symbol, size)
        if not topic.delivered:
            self.builder.pass_through(topic)
            self.market.joined(topic)
        if fields.closed or self.lossless or not self.showing.too_soon(topic):
            return self.put_candle(topic, fields)
        self.stirred = True
        # the topic's value all the same: what a snapshot brings, and a session that is owed it
        self.throttled += 1
        self.stamp(topic, self.clock.now())
        topic.value.candle = fields[0]
        topic.has_value = True
        return 0

    cdef int put_candle(self, Topic* topic, const CandleFields* fields) except -1:
        self.make_room(topic)
        if fields.closed:
            if self.recorder is not None:
                self.recorder.candle(topic, self.matcher.names[topic.event_type], fields,
                                     self.last_id + 1, topic.stamp.seq + 1)
            self.stamp(topic, fields.time + topic.timeframe)
            topic.turn &= ~TURN_WAITS
            if self.statistics:
                remember(topic, fields.time, fields.close)
        else:
            self.stamp(topic, self.clock.now())
        topic.value.candle = fields[0]
        topic.has_value = True
        if topic.watched and fields.closed:
            self.market.note(topic)
        if topic.groups.empty():
            return 0 if self.tap is None else self.tap.market(topic)
        return self.fan_out(topic, LOSSLESS if fields.closed else self.conflatable)

    def close_candles(self, int64_t now, *, bint live=False) -> None:
        """Close the built candles that end at `now` (ns since the epoch) or before.

        For symbols that are silent: called by who owns the time of quotes. Those that are
        older than a closed candle's end are late from here on. `live`: only candles of symbols
        whose quotes come less than ten seconds after their time, by the clock.
        """
        self.builder.close_until(now, live, &self.built)
        if not self.built.empty():
            self.publish_built()
        self.settle()

    cdef void stamp(self, Topic* topic, int64_t time) noexcept:
        self.last_id += 1
        self.flusher.counts.events[topic.event_type] += 1
        topic.stamp.id = self.last_id
        topic.stamp.seq += 1
        topic.stamp.time = time

    cdef int make_room(self, Topic* topic) except -1:
        """Room for the topic's next value in every dialect, before that value is set.

        What this sends to make it is older: a session that is owed the topic must not get the
        new value from here and then once more as the event.
        """
        if topic.groups.empty():
            return 0
        return self.flusher.make_room(MAX_MARKET_FRAME * self.matcher.dialects)

    cdef int fan_out(self, Topic* topic, uint8_t lane) except -1:
        """Encode the topic's value once per dialect that listens, and offer it."""
        cdef:
            size_t i
            int dialect = -1
            Group* group
            Py_ssize_t size = 0
            uint32_t ref = 0
            int64_t time = self.flusher.publish_time()
        self.moments.note(topic.stamp.id, time)
        for i in range(topic.groups.size()):
            group = topic.groups[0][i]
            if group.dialect != dialect:
                dialect = group.dialect
                size = self.encoder.market(
                    self.flusher.ring.reserve(MAX_MARKET_FRAME), topic, dialect, False)
                if size:
                    ref = self.flusher.ring.commit(size, topic.index, lane, short_time(time))
            if size:
                self.flusher.offer(group, ref, topic.stamp.id)
        if self.tap is not None:
            self.tap.market(topic)
        return 0

    def notice(self, str symbol, str event_type, str kind, /, **fields) -> None:
        """Say something about a topic to everybody subscribed to it: that it is stale, say.

        The message is what each dialect makes of `kind` and `fields` (`Dialect.control`);
        one that cannot say it is passed over. It is not an event: it has no id and is
        not recorded. It is sent in order with events, and never dropped.

        Raises EventError for an invalid symbol, SubscriptionError for an unknown event type.
        """
        cdef:
            Py_ssize_t size
            const char* name = utf8(symbol, &size)
            Topic* topic = self.matcher.topic(self.matcher.row(event_type), name, size)
        self.notice_number -= 1
        self.announcer.offer(topic, self.notice_number,
                             self.announcer.say(topic, kind, fields, self.clock.now()), NOTICE, "")
        self.flusher.poke()

    def published_at(self, uint64_t id) -> int:
        """When the event `id` was published, ns of the timer.

        0 for one that nobody was subscribed to, and for all but the last 65,536 others.
        """
        return self.moments.at(id)

    def start_after(self, uint64_t id) -> None:
        """Have ids go on after `id`. ValueError when they have begun."""
        if self.last_id:
            raise ValueError(f"ids have begun: the last is {self.last_id}")
        self.last_id = id

    # ------------------------------------------------------------------ flush

    @property
    def wake(self):
        """Called without arguments when somebody waits: have `flush` called soon.

        Also when `next_due` or `next_live_close` came nearer. When it returns False it could
        not, and is called again at the next publish.
        """
        return self.flusher.wake

    @wake.setter
    def wake(self, callback):
        self.flusher.wake = callback

    def flush(self, int budget=64) -> bool:
        """Send to up to `budget` sessions, oldest first. True: some are left, call again.

        Before that, what forms and waited for its turn is published.
        """
        self.showing.show_due(&self.built)
        if not self.built.empty():
            self.publish_built()
        return self.flusher.flush(budget)

    @property
    def next_due(self):
        """When `flush` has something to send again though nothing is published, ns of the timer.

        None when there is no such time. Look again after each `flush`.
        """
        cdef int64_t due = self.showing.due
        paced = self.flusher.pacer.next_due
        if due == INT64_MAX:
            return paced
        return due if paced is None else min(due, paced)

    @property
    def next_close(self):
        """Before when (ns since the epoch) `close_candles` has nothing to do.

        None when nothing forms. When nothing but `close_candles` closes candles, it is the
        first end of one.
        """
        return None if self.builder.next_close == INT64_MAX else self.builder.next_close

    @property
    def next_live_close(self):
        """The same with ``live=True``. Look again after each `flush`."""
        return None if self.builder.next_live == INT64_MAX else self.builder.next_live

    @property
    def candles(self):
        """The timeframes of the candles that are built, shortest first."""
        return self.builder.timeframes

    @property
    def late(self):
        """Quotes that came too late for a candle, once for each timeframe."""
        return self.builder.late

    @property
    def timer(self):
        """The clock of latencies and intervals."""
        return self.flusher.timer

    @property
    def published(self):
        """Events published."""
        cdef size_t i
        return sum([self.flusher.counts.events[i] for i in range(self.matcher.event_type_count)])

    @property
    def max_event(self):
        """Bytes that one event may have in any dialect."""
        return self.announcer.limit

    @property
    def pending(self):
        """Bytes between the oldest frame a session in the queue waits for and the newest."""
        return self.flusher.pending

    def day(self, str symbol not None):
        """What the symbol did in the 24 hours up to its newest quote: a `Day`.

        None without a quote, or without `statistics`.
        """
        cdef:
            Py_ssize_t size
            const char* name = utf8(symbol, &size)
            Topic* topic = self.matcher.find(0, name, size)
        return None if topic == NULL else day_of(topic)

    def closes(self, str symbol not None, str timeframe not None, int64_t until=INT64_MAX):
        """Closes of the last closed candles that opened at `until` (ns since the epoch) or before.

        An array of float64, the oldest first, 250 at most; empty without `statistics`.
        ValueError for an unknown timeframe.
        """
        cdef:
            Py_ssize_t size
            const char* name = utf8(symbol, &size)
            Topic* topic
        parse_timeframe(timeframe)
        topic = self.matcher.find(self.matcher.row("candle@" + timeframe), name, size)
        return np.empty(0) if topic == NULL else closes_until(topic, until)

    def last_event_time(self) -> int:
        """The time (ns) of the newest event of all topics, 0 before the first; walks all topics."""
        cdef:
            Topic* topic
            int64_t last = 0
        for topic in self.matcher.topics:
            last = max(last, topic.stamp.time)
        return last

    def counters(self) -> Counters:
        """What has been done since the start, and what waits now; walks all sessions."""
        return tally(self.flusher, self.encoder, self.matcher, self.outboxes, self.throttled)


cdef const char* utf8(str symbol, Py_ssize_t* size) except NULL:
    """The symbol's bytes, owned by it."""
    try:
        return PyUnicode_AsUTF8AndSize(symbol, size)
    except UnicodeEncodeError:
        raise EventError(f"symbol {symbol!r}: it has no UTF-8 form") from None
