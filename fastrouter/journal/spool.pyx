"""The spool: a ring of entries in a memory-mapped file.

What stands in it survives the process, whatever kills it: the pages belong to
the kernel. An entry is copied first and becomes visible by one store of its
stamp, so that there is no instruction at which a reader could find half of it.

::

    page 0     magic, capacity, owner, salt, mark, lost_to, reserved, source, position,
               store, done, intent
    then       the ring: stamp, size, checksum, data, up to the next multiple of 8

A position is the count of bytes ever written; `mark` is the position up to
which all is kept elsewhere. The ring is mapped twice, end to end, so that an
entry that runs over its end is one piece of memory all the same.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t
from libc.string cimport memcmp, memcpy

import cython
import fcntl
import os
from zlib import crc32

from fastrouter.errors import ConfigError

__all__ = ["HEAD_BYTES", "Spool"]

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX

cdef extern from "<sys/mman.h>" nogil:
    enum:
        MAP_ANONYMOUS
        MAP_FIXED
        MAP_PRIVATE
        MAP_SHARED
        PROT_NONE
        PROT_READ
        PROT_WRITE
    void* MAP_FAILED
    void* mmap(void* address, size_t size, int protection, int flags, int descriptor, long offset)
    int munmap(void* address, size_t size)

cdef extern from *:
    """
    #include <stdint.h>
    static inline void store_release(uint64_t* place, uint64_t value) {
        __atomic_store_n(place, value, __ATOMIC_RELEASE);
    }
    """
    void store_release(uint64_t* place, uint64_t value) noexcept nogil

cdef enum:
    PAGE = 4096
    OWNER_BYTES = 16

cdef char* MAGIC = b"FRSPOOL2"

HEAD_BYTES = sizeof(Head)


@cython.final
cdef class Spool:
    """Opens or creates the ring at `path`, and locks it for as long as it is open.

    `capacity` (bytes, a multiple of 4096) is that of a new file, all of it
    taken from the disk at once. What an earlier run left there is `entries()`.
    Raises ConfigError when another process has it, the file is no spool, or
    there is no room for it.
    """

    def __cinit__(self, path, uint64_t capacity=16 << 20):
        if capacity < PAGE or capacity % PAGE:
            raise ValueError("capacity must be a multiple of 4096 bytes")
        self.path = path
        try:
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.opened = True
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.capacity = self.known_capacity() or self.create(capacity)
        except BlockingIOError:
            raise ConfigError(f"journal {path} is in use by another server",
                              code="JOURNAL_LOCKED") from None
        except OSError as error:
            raise ConfigError(f"journal {path} cannot be opened: {error.strerror}") from None
        self.map()
        self.head = self.header.mark
        while self.entry_at(self.head) is not None:
            self.head += room_of(self.head_at(self.head).size)

    def __dealloc__(self):
        self.unmap()

    cdef object known_capacity(self):
        """The capacity that the file states; 0 for one that was never finished."""
        cdef bytes first = os.pread(self.descriptor, sizeof(Header), 0)
        cdef Header* header = <Header*>PyBytes_AS_STRING(first)
        if not first.strip(b"\0"):
            return 0
        if len(first) < <Py_ssize_t>sizeof(Header):
            first += bytes(sizeof(Header) - len(first))
            header = <Header*>PyBytes_AS_STRING(first)
        if header.magic[0] == 0:
            return 0
        if memcmp(header.magic, MAGIC, 8) != 0 or not header.capacity or header.capacity % PAGE:
            raise ConfigError(f"journal {self.path} is no spool of this version of fastrouter")
        size = os.fstat(self.descriptor).st_size
        if size != PAGE + header.capacity:
            raise ConfigError(
                f"journal {self.path} is damaged: {size} bytes, not {PAGE + header.capacity}; "
                "put it back whole, or remove it and what is in it")
        return header.capacity

    cdef object create(self, uint64_t capacity):
        os.ftruncate(self.descriptor, 0)
        # a full disk must say so here: in a mapping it would be a SIGBUS
        os.posix_fallocate(self.descriptor, 0, PAGE + capacity)
        os.pwrite(self.descriptor, capacity.to_bytes(8, "little"), 8)
        os.pwrite(self.descriptor, os.urandom(8), 32)
        os.pwrite(self.descriptor, MAGIC[:8], 0)
        return capacity

    cdef int map(self) except -1:
        cdef:
            char* base
            int access = PROT_READ | PROT_WRITE
            int there = MAP_SHARED | MAP_FIXED
            int descriptor = self.descriptor
        base = <char*>mmap(NULL, PAGE + 2 * self.capacity, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        if base == MAP_FAILED:
            raise MemoryError()
        self.header = <Header*>base
        self.ring = base + PAGE
        if (mmap(base, PAGE + self.capacity, access, there, descriptor, 0) == MAP_FAILED
                or mmap(self.ring + self.capacity, self.capacity, access, there, descriptor,
                        PAGE) == MAP_FAILED):
            raise MemoryError()
        return 0

    cdef void unmap(self) noexcept:
        if self.header != NULL:
            munmap(self.header, PAGE + 2 * self.capacity)
        self.header = NULL
        if self.opened:
            os.close(self.descriptor)
        self.opened = False

    cdef int check_open(self) except -1:
        if self.header == NULL:
            raise ValueError("the spool is closed")
        return 0

    cdef Head* head_at(self, uint64_t position) noexcept:
        return <Head*>(self.ring + position % self.capacity)

    cdef object entry_at(self, uint64_t position):
        """The data of the entry at `position`, None when there is no whole one."""
        cdef Head* head = self.head_at(position)
        if head.stamp != position ^ self.header.salt:
            return None
        if room_of(head.size) > self.header.mark + self.capacity - position:
            return None
        data = PyBytes_FromStringAndSize(<char*>head + sizeof(Head), head.size)
        return data if crc32(data, head.size) == head.checksum else None

    # ------------------------------------------------------------------ write

    cpdef bint append(self, bytes data) except -1:
        """Keep one entry. False when there is no room: nothing is written then."""
        self.check_open()
        if data is None:
            raise TypeError("data is None; allowed: bytes")
        cdef:
            Py_ssize_t size = PyBytes_GET_SIZE(data)
            uint64_t room = room_of(size)
            Head* head = self.head_at(self.head)
        if room > self.header.mark + self.capacity - self.head:
            return False
        memcpy(<char*>head + sizeof(Head), PyBytes_AS_STRING(data), size)
        head.size = size
        head.checksum = crc32(data, size)
        store_release(&head.stamp, self.head ^ self.header.salt)
        self.head += room
        return True

    def release(self, uint64_t position) -> None:
        """All before `position` is kept elsewhere: its room may be written again."""
        self.check_open()
        if not self.header.mark <= position <= self.head:
            raise ValueError("position is not between mark and head")
        store_release(&self.header.mark, position)

    # ------------------------------------------------------------------- read

    def read(self, Py_ssize_t count) -> tuple:
        """Up to `count` entries from mark on, as a list of bytes, and the position behind them."""
        self.check_open()
        cdef:
            list found = []
            uint64_t position = self.header.mark
        while position < self.head and len(found) < count:
            found.append(self.entry_at(position))
            position += room_of(self.head_at(position).size)
        return found, position

    def entries(self) -> list:
        """All from mark to head, oldest first, as a list of bytes."""
        return self.read(PY_SSIZE_T_MAX)[0]

    @property
    def used(self):
        """Bytes from mark to head."""
        self.check_open()
        return self.head - self.header.mark

    @property
    def owner(self):
        """16 bytes that say which journal it belongs to; all zero when it is new."""
        self.check_open()
        return self.header.owner[:OWNER_BYTES]

    @owner.setter
    def owner(self, bytes value not None):
        self.check_open()
        if len(value) != OWNER_BYTES:
            raise ValueError("owner must be 16 bytes")
        memcpy(self.header.owner, PyBytes_AS_STRING(value), OWNER_BYTES)

    @property
    def lost_to(self):
        """The id of the last event that found no room; it survives as the entries do."""
        self.check_open()
        return self.header.lost_to

    @lost_to.setter
    def lost_to(self, uint64_t value):
        self.check_open()
        self.header.lost_to = value

    @property
    def reserved(self):
        """The last id that a run may have used. To set it cannot fail, however full the disk is."""
        self.check_open()
        return self.header.reserved

    @reserved.setter
    def reserved(self, uint64_t value):
        self.check_open()
        self.header.reserved = value

    @property
    def source(self):
        """16 bytes that say whose ids `position` is one of; all zero when it is nobody's."""
        self.check_open()
        return self.header.source[:OWNER_BYTES]

    @source.setter
    def source(self, bytes value not None):
        self.check_open()
        if len(value) != OWNER_BYTES:
            raise ValueError("source must be 16 bytes")
        self.header.position = 0
        memcpy(self.header.source, PyBytes_AS_STRING(value), OWNER_BYTES)

    @property
    def position(self):
        """The source's id up to which all is published, None when it is not known.

        It survives as the entries do. Another `source` begins with None.
        """
        self.check_open()
        return self.header.position - 1 if self.header.position else None

    @position.setter
    def position(self, uint64_t value):
        self.check_open()
        self.header.position = value + 1

    @property
    def store(self):
        """16 bytes that say whose events `done` is about; all zero when they are nobody's."""
        self.check_open()
        return self.header.store[:OWNER_BYTES]

    @store.setter
    def store(self, bytes value not None):
        self.check_open()
        if len(value) != OWNER_BYTES:
            raise ValueError("store must be 16 bytes")
        store_release(&self.header.done, 0)
        store_release(&self.header.intent, 0)
        memcpy(self.header.store, PyBytes_AS_STRING(value), OWNER_BYTES)

    @property
    def done(self):
        """The number of the store's event up to which all are published; see `delivery`."""
        self.check_open()
        return self.header.done

    @done.setter
    def done(self, uint64_t value):
        self.check_open()
        store_release(&self.header.done, value)

    @property
    def intent(self):
        """What is about to be published; see `delivery`."""
        self.check_open()
        return self.header.intent

    @intent.setter
    def intent(self, uint64_t value):
        self.check_open()
        store_release(&self.header.intent, value)

    def close(self) -> None:
        """Let go of file and lock; what stands in it stays. Safe to call again."""
        self.unmap()


cdef uint64_t room_of(uint64_t size) noexcept:
    """Bytes that an entry of `size` bytes of data takes."""
    return (sizeof(Head) + size + 7) & ~<uint64_t>7
