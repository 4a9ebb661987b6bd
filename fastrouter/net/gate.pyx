"""Where frames begin and end in what a client sends, and whether their headers are legal.

picows looks one frame ahead: when the next one breaks the rules, it sends its close frame before
the answers to those that did not. Handed one frame at a time it cannot; and who breaks the rules
is closed by us, after the answers.
"""

from libc.stdint cimport uint8_t, uint64_t

import cython

from fastrouter.errors import CloseCode


cdef enum:
    BLANK_LINE = 4              # bytes of "\r\n\r\n", which ends the handshake
    MASK = 4
    FIN = 0x80
    MASKED = 0x80
    CONTROL = 0x8
    MAX_CONTROL = 125
    # one bit per opcode: continuation, text, binary; close, ping, pong
    OPCODES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 8 | 1 << 9 | 1 << 10


@cython.final
cdef class Gate:
    """Follows one client's bytes; `limit` is the longest payload, in bytes."""

    def __init__(self, uint64_t limit):
        self.limit = limit
        self.need = 2

    def take(self, const uint8_t[::1] data) -> int:
        """How many bytes of `data` belong to the current frame (or to the handshake).

        All of them when it goes on. Call again with what is left. When the next
        header breaks the rules, `broken` is (close code, reason) from then on:
        drop the rest.
        """
        cdef:
            Py_ssize_t size = data.shape[0]
            Py_ssize_t at = 0
        if self.matched < BLANK_LINE:
            return self.handshake(data)
        if not self.left:
            while self.have < self.need:
                if at == size:
                    return size
                self.head[self.have] = data[at]
                self.have += 1
                at += 1
                if self.have == 2 and not self.begin():
                    return 0
            self.left = self.length()
            self.have, self.need = 0, 2
            if self.broken is not None:
                return 0
        if self.left <= <uint64_t>(size - at):
            at += self.left
            self.left = 0
            return at
        self.left -= size - at
        return size

    @property
    def between(self):
        """Has the handshake ended, and the last frame?"""
        return self.matched == BLANK_LINE and not self.left and not self.have

    cdef Py_ssize_t handshake(self, const uint8_t[::1] data) noexcept:
        cdef Py_ssize_t at
        for at in range(data.shape[0]):
            if data[at] == (c"\n" if self.matched & 1 else c"\r"):
                self.matched += 1
                if self.matched == BLANK_LINE:
                    return at + 1
            else:
                self.matched = data[at] == c"\r"
        return data.shape[0]

    cdef bint begin(self) except -1:
        """Look at the first two bytes of a header (RFC 6455, 5.2)."""
        cdef:
            uint8_t opcode = self.head[0] & 0xF
            uint8_t size = self.head[1] & 0x7F
        if not OPCODES >> opcode & 1:
            return self.refuse(CloseCode.PROTOCOL_ERROR, f"opcode {opcode} is reserved")
        if self.head[0] & 0x70:
            return self.refuse(CloseCode.PROTOCOL_ERROR, "reserved bits are set")
        if not self.head[1] & MASKED:
            return self.refuse(CloseCode.PROTOCOL_ERROR, "frame is not masked")
        if opcode & CONTROL and not self.head[0] & FIN:
            return self.refuse(CloseCode.PROTOCOL_ERROR, "control frame in fragments")
        if opcode & CONTROL and size > MAX_CONTROL:
            return self.refuse(CloseCode.PROTOCOL_ERROR, "control frame over 125 bytes")
        self.need = 2 + MASK + (2 if size == 126 else 8 if size == 127 else 0)
        return True

    cdef uint64_t length(self) except? 0:
        """The payload's size, once the header is whole."""
        cdef:
            uint64_t size = 0
            int i
        for i in range(2, self.need - MASK):
            size = size << 8 | self.head[i]
        if self.need == 2 + MASK:
            return self.head[1] & 0x7F
        if size < (126 if self.need == 4 + MASK else 65536) or size >> 63:
            self.refuse(CloseCode.PROTOCOL_ERROR, "length is not in its shortest form")
        elif size > self.limit:
            self.refuse(CloseCode.TOO_BIG, "message too big")
        return size

    cdef bint refuse(self, int code, str reason) except -1:
        self.broken = (code, reason)
        return False
