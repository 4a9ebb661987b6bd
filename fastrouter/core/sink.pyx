"""Where an outbox writes to. All the core knows of a socket."""

from libc.stdint cimport uint8_t

import cython

from fastrouter.core.frame cimport TEXT, frame_size


cdef class Sink:
    """Takes the bytes of one session.

    A subclass (in Cython: the methods are C) gives:

    - ``write(data, size)``: hand bytes to the kernel; how many it took, less than
      `size` when it is full, -1 when the connection is broken.
    - ``finish(data, size)``: after a short write, own a copy of the rest of that
      frame. True when it still waits: the sink then calls ``Outbox.resume()``
      once it has gone; False when it has gone already.
    - ``overflow()``: the outbox hit its bound and is closed; end the session with
      4008 as soon as the caller's stack has unwound.
    - ``drained()``: the outbox is held and has nothing more to send; it is called
      after every visit of which that is true, so perhaps more than once. Go on
      replaying as soon as the caller's stack has unwound.
    """

    cdef Py_ssize_t write(self, const char* data, Py_ssize_t size) noexcept:
        return size

    cdef bint finish(self, const char* data, Py_ssize_t size) noexcept:
        return False

    cdef void overflow(self) noexcept:
        pass

    cdef void drained(self) noexcept:
        pass


@cython.final
cdef class MemorySink(Sink):
    """A sink that keeps what it is given, for tests and embedders.

    `room` is how many bytes it takes before it is full; None: all of them.
    `give(room)` makes room again; then call the outbox's `resume()`.
    """

    def __init__(self, room=None):
        self.data = bytearray()
        self.room = -1 if room is None else room

    cdef Py_ssize_t write(self, const char* data, Py_ssize_t size) noexcept:
        cdef Py_ssize_t taken = size if self.room < 0 else min(size, self.room)
        self.writes += 1
        if self.room > 0:
            self.room -= taken
        self.data += data[:taken]
        return taken

    cdef bint finish(self, const char* data, Py_ssize_t size) noexcept:
        self.data += data[:size]
        self.blocked = True
        return True

    cdef void overflow(self) noexcept:
        self.overflowed = True

    cdef void drained(self) noexcept:
        self.drains += 1

    def give(self, room=None):
        """Take `room` more bytes (None: any number)."""
        self.room = -1 if room is None else room
        self.blocked = False

    def messages(self):
        """The payloads of all complete frames so far, as a list of bytes; forgets them."""
        cdef:
            list found = []
            Py_ssize_t at = 0, header, size
            bytes data = bytes(self.data)
        while at + 2 <= len(data):
            size, header = data[at + 1], 2
            if size == 126:
                size, header = int.from_bytes(data[at + 2:at + 4], "big"), 4
            elif size == 127:
                size, header = int.from_bytes(data[at + 2:at + 10], "big"), 10
            if at + header + size > len(data):
                break
            found.append(data[at + header:at + header + size])
            at += header + size
        del self.data[:at]
        return found


@cython.final
cdef class MessageSink(Sink):
    """A sink that hands each text message to `receive(payload)`, in order; it is never full.

    `receive` must not wait, and should not raise: an exception costs that message alone, is
    counted in `failures` and kept in `error`.
    """

    cdef:
        object receive
        readonly size_t failures
        readonly object error

    def __init__(self, receive):
        self.receive = receive

    cdef Py_ssize_t write(self, const char* data, Py_ssize_t size) noexcept:
        cdef Py_ssize_t at = 0, end
        while at < size:
            end = at + frame_size(data + at)
            if <uint8_t>data[at] & 0xF == TEXT:
                self.hand_over(data[at + header_of(data + at):end])
            at = end
        return size

    cdef void hand_over(self, bytes payload) noexcept:
        try:
            self.receive(payload)
        except Exception as error:
            self.failures += 1
            self.error = error


cdef Py_ssize_t header_of(const char* frame) noexcept:
    """Bytes of the header of a frame that is not masked."""
    cdef uint8_t size = frame[1]
    return 2 if size < 126 else 4 if size == 126 else 10


@cython.final
cdef class NullSink(Sink):
    """Takes everything and keeps nothing; for measuring what comes before the socket."""
