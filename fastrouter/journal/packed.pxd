from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t


cdef struct Packed:
    uint64_t id
    uint64_t seq
    int64_t time                # ns since the epoch, as stamped
    uint32_t size               # of all, in bytes; a multiple of 8
    uint32_t body_size          # these four follow, in the order of `pack`
    uint32_t account_size
    uint16_t symbol_size
    uint16_t event_type_size


cdef enum:
    CANDLE_BYTES = 48           # of CandleFields: five prices and the time


cdef uint32_t packed_size(const Packed* head) noexcept
cdef void pack(char* out, const Packed* head, const char* event_type, const char* symbol,
               const char* account, const char* body) noexcept
cdef object entry_of(const Packed* packed)
