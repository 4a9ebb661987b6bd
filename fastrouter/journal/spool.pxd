from libc.stdint cimport uint32_t, uint64_t


cdef struct Header:
    char magic[8]               # written last: a file without it was never finished
    uint64_t capacity           # bytes of the ring
    char owner[16]
    uint64_t salt               # what data of a peer could never guess
    uint64_t mark
    uint64_t lost_to
    uint64_t reserved           # no run has used an id above, as far as this file knows
    char source[16]             # whose ids `position` is one of; all zero: nobody's
    uint64_t position           # the source's id up to which all of it is published, plus one
    char store[16]              # whose events `done` and `intent` are about; all zero: nobody's
    uint64_t done               # the number of its event up to which all are published
    uint64_t intent             # see `journal.delivery`


cdef struct Head:
    uint64_t stamp              # position ^ salt; written last
    uint32_t size               # bytes of data
    uint32_t checksum           # crc32 of the data, begun with the size


cdef class Spool:
    cdef:
        readonly object path
        int descriptor
        bint opened             # else `descriptor` is 0, which is somebody's
        Header* header
        char* ring
        readonly uint64_t capacity
        readonly uint64_t head          # position of the next entry
        public bint noticed             # whoever empties it knows that there is something
    cdef object known_capacity(self)
    cdef object create(self, uint64_t capacity)
    cdef int map(self) except -1
    cdef void unmap(self) noexcept
    cdef int check_open(self) except -1
    cdef Head* head_at(self, uint64_t position) noexcept
    cdef object entry_at(self, uint64_t position)
    cpdef bint append(self, bytes data) except -1
