"""The events that somebody has yet to acknowledge: who comes back gets them once more."""

import cython

from fastrouter.core.encoder cimport framed


@cython.final
cdef class Kept:
    """Events of one router, by rising id. Topics live as long as the router."""

    def __cinit__(self):
        self.others = {}

    cdef int note(self, Topic* topic) except -1:
        """Keep the topic's value."""
        cdef Moment moment
        moment.topic = topic
        moment.stamp = topic.stamp
        moment.value = topic.value
        self.moments.push_back(moment)
        return 0

    cdef int note_event(self, uint64_t number, event) except -1:
        """Keep an event of another kind."""
        cdef Moment moment
        moment.topic = NULL
        moment.stamp.id = number
        self.moments.push_back(moment)
        self.others[number] = event
        return 0

    cdef int forget_before(self, uint64_t number) except -1:
        """Forget what is older than event `number`."""
        cdef size_t first = self.place(number), i
        for i in range(self.head, first):
            if self.moments[i].topic == NULL:
                del self.others[self.moments[i].stamp.id]
        self.head = first
        if self.head * 2 >= self.moments.size():
            self.moments.erase(self.moments.begin(), self.moments.begin() + self.head)
            self.head = 0
        return 0

    cdef int clear(self) except -1:
        """Forget everything."""
        self.moments.clear()
        self.head = 0
        if self.others:
            self.others.clear()
        return 0

    cdef size_t size(self) noexcept:
        return self.moments.size() - self.head

    cdef size_t place(self, uint64_t number) noexcept:
        """The place of the first event from `number` on; how many there are when there is none."""
        cdef size_t first = self.head, last = self.moments.size(), middle
        while first < last:
            middle = first + (last - first) // 2
            if self.moments[middle].stamp.id < number:
                first = middle + 1
            else:
                last = middle
        return first

    cdef bytes frame(self, size_t place, Encoder encoder, uint8_t dialect):
        """The frame it was, byte for byte; b"" when the dialect has none."""
        cdef Moment* moment = &self.moments[place]
        if moment.topic != NULL:
            return encoder.as_it_was(moment.topic, &moment.stamp, &moment.value, dialect)
        event = self.others[moment.stamp.id]
        return framed(encoder.dialects[dialect].encode(event))
