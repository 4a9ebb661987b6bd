"""A shorter way in for messages that C takes: no Python between the socket and their taker.

A lock-step client waits for each answer, so all that is done per message is time it waits.
"""

from cpython.buffer cimport PyBUF_WRITE
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.errno cimport EAGAIN, errno
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove

import os

cdef extern from "<sys/socket.h>" nogil:
    enum:
        MSG_DONTWAIT
    Py_ssize_t recv(int descriptor, void* data, size_t size, int flags) noexcept


cdef enum:
    ROOM = 1 << 17              # bytes; longer frames go the long way
    MASK = 4
    TEXT = 0x81                 # whole, no extension
    FIN = 0x80
    MASKED = 0x80
    LOOKS = 24                  # for an answer; about 10 us
    ROUNDS = 16                 # answers in a row; then the loop gets its turn
    MISSES = 8                  # in a row; then it is not waited for ...
    RETRY = 256                 # ... but once in so many


CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


cdef void unmask(unsigned char* data, size_t size, const unsigned char* mask) noexcept:
    """Or mask: it is its own inverse (RFC 6455, 5.3)."""
    cdef:
        uint64_t key, word
        unsigned char* keys = <unsigned char*>&key
        size_t i = 0
    memcpy(keys, mask, MASK)
    memcpy(keys + MASK, mask, MASK)
    while i + sizeof(word) <= size:
        memcpy(&word, data + i, sizeof(word))
        word ^= key
        memcpy(data + i, &word, sizeof(word))
        i += sizeof(word)
    while i < size:
        data[i] ^= keys[i & 7]
        i += 1


cdef class Express:
    """Stands before a `fastrouter.net.protocol.Protocol` that is between two frames.

    Whole text frames are shown to the listener's taker. Whatever it does not take, and
    everything from the first frame on that is not plain, goes to the protocol as it came.
    """

    def __cinit__(self):
        self.room = <unsigned char*>malloc(ROOM)
        if self.room == NULL:
            raise MemoryError()

    def __init__(self, protocol, Listener listener not None):
        self.protocol = protocol
        self.listener = listener
        self.whole = PyMemoryView_FromMemory(<char*>self.room, ROOM, PyBUF_WRITE)
        # there is nobody to wait for on one CPU
        self.descriptor = listener.transport._socket if CPUS > 1 else -1
        self.limit = listener.server.max_message_bytes

    def __dealloc__(self):
        free(self.room)

    # ------------------------------------------------------------------- reading

    def get_buffer(self, size_hint):
        """Where the loop reads to."""
        if self.have == 0:
            return self.whole
        return PyMemoryView_FromMemory(<char*>self.room + self.have, ROOM - self.have, PyBUF_WRITE)

    def data_received(self, bytes data not None):
        """For loops that read by themselves."""
        self.protocol.data_received(data)

    def buffer_updated(self, Py_ssize_t count):
        """The loop has read `count` bytes."""
        cdef:
            Py_ssize_t got = count
            int rounds = 0
        while got > 0 and self.process(got) and rounds < ROUNDS:
            rounds += 1
            got = self.wait()

    cdef Py_ssize_t wait(self) except? -1:
        """The bytes of an answer that comes within microseconds; 0 when none did.

        To sleep and be woken costs more than that. Who takes longer to answer is not waited
        for: after some misses in a row only now and then, in case it has become quick.
        """
        cdef:
            int descriptor = self.descriptor
            unsigned char* room = self.room
            Py_ssize_t got = -1
            int _look
        if self.misses >= MISSES:
            self.misses = self.misses + 1 if self.misses < RETRY else MISSES - 1
            return 0
        with nogil:
            for _look in range(LOOKS):
                got = recv(descriptor, room, ROOM, MSG_DONTWAIT)
                if got >= 0 or errno != EAGAIN:
                    break
        if got > 0:
            self.misses = 0
            return got
        self.misses += 1
        return 0                # an end or an error is the loop's to find

    cdef bint process(self, Py_ssize_t count) except -1:
        """Take frames, hand on what is left. Is the client to answer, and nothing else open?"""
        cdef:
            size_t at = 0
            size_t size
            bint taken = False
        self.have += count
        while at < self.have:
            size = self.have - at if self.through else self.frame(at)
            if size == 0:
                break
            taken = not self.through and self.take(at)
            if not taken:
                self.hand_on(at, size)
            at += size
        self.have -= at
        memmove(self.room, self.room + at, self.have)
        return taken and self.descriptor >= 0 and not self.have and not self.listener.closing

    cdef size_t frame(self, size_t at) noexcept:
        """The size of the frame there, header included; 0 when more of it has to come.

        A frame that is not plain, or does not fit, sets `through`: all that is left.
        """
        cdef:
            unsigned char* head = self.room + at
            size_t left = self.have - at
            size_t size
        if left < 2:
            return 0
        self.header = 2 + MASK
        self.length = head[1] & 0x7F
        if self.length == 126:
            self.header += 2
            if left < 4:
                return 0
            self.length = <size_t>head[2] << 8 | head[3]
        # too long, fragments, what is not masked, reserved bits
        if (self.length == 127 or self.length > self.limit or head[0] & 0xF0 != FIN
                or not head[1] & MASKED):
            self.through = True
        if self.through:
            return left
        size = self.header + self.length
        return size if left >= size else 0

    cdef bint take(self, size_t at) except -1:
        """Does the taker take the frame there?"""
        cdef:
            unsigned char* payload = self.room + at + self.header
            bint taken
        if (self.room[at] != TEXT or self.listener.taker is None or self.listener.closing
                or self.listener.transport.is_close_frame_sent):
            return False
        unmask(payload, self.length, payload - MASK)
        taken = self.listener.taker.take(<char*>payload, self.length)
        if not taken:
            unmask(payload, self.length, payload - MASK)
        return taken

    cdef int hand_on(self, size_t at, size_t size) except -1:
        self.protocol.data_received(PyBytes_FromStringAndSize(<char*>self.room + at, size))
        return 0

    # ------------------------------------------------------------- the rest of it

    def connection_made(self, transport):
        """It was made before."""

    def connection_lost(self, error):
        """The protocol's."""
        self.protocol.connection_lost(error)
        self.protocol = None

    def eof_received(self):
        """The protocol's."""
        return self.protocol.eof_received()

    def pause_writing(self):
        """The protocol's."""
        self.protocol.pause_writing()

    def resume_writing(self):
        """The protocol's."""
        self.protocol.resume_writing()
