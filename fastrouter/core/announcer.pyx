"""Messages that the dialects make in Python: every event but quotes and candles, and notices.

First all dialects encode, then anybody is offered anything: what one of them cannot encode is
published to nobody.
"""

from libc.stdint cimport uint32_t

import cython

from fastrouter.core.structs cimport Group

from fastrouter.errors import EventError


@cython.final
cdef class Announcer:
    """What it encodes is a list by number of dialect, None where nobody listens."""

    def __cinit__(self, Encoder encoder, Matcher matcher, Flusher flusher, size_t limit):
        self.encoder = encoder
        self.matcher = matcher
        self.flusher = flusher
        self.limit = limit

    cdef list encode(self, Topic* topic, Event event):
        """The event's message in every dialect of the topic. EventError for one that has none."""
        cdef:
            list encoded = [None] * len(self.encoder.dialects)
            Group* group
            int dialect = -1
        for group in topic.groups[0]:
            if group.dialect != dialect:
                dialect = group.dialect
                encoded[dialect] = self._encode(dialect, event)
        return encoded

    cdef list say(self, Topic* topic, str kind, dict fields, int64_t now):
        """What each dialect makes of a control message; None where one has no word for it."""
        cdef:
            list encoded = [None] * len(self.encoder.dialects)
            Group* group
        for group in topic.groups[0]:
            if encoded[group.dialect] is None:
                encoded[group.dialect] = self._say(group.dialect, kind, fields, now)
        return encoded

    cdef int offer(self, Topic* topic, uint64_t number, list encoded, uint8_t lane,
                   str account) except -1:
        """Offer a message for each dialect to those of the topic who may see `account`."""
        cdef:
            Group* group
            bytes message
            uint32_t ref = 0
            uint32_t whose = self.matcher.accounts.get(account, 0)
            int dialect = -1
        for group in topic.groups[0]:
            message = encoded[group.dialect]
            if message is None:
                continue
            if group.dialect != dialect:
                dialect = group.dialect
                ref = self.flusher.append(message, topic.index, lane)
            if account:
                self.flusher.offer_owned(group, ref, number, whose)
            else:
                self.flusher.offer(group, ref, number)
        return 0

    def _encode(self, number, event):
        try:
            message = self.encoder.dialects[number].encode(event)
        except TypeError as error:
            raise EventError(f"{event.kind}: payload is not JSON: {error}") from None
        if message is not None and <size_t>len(message) > self.limit:
            raise EventError(f"{event.kind}: {len(message)} bytes; allowed: {self.limit}")
        self.encoder.encoded += message is not None
        return message

    def _say(self, number, kind, fields, now):
        try:
            return self.encoder.dialects[number].control(kind, fields, now)
        except NotImplementedError:
            return None
