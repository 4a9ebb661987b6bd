from libc.stdint cimport uint8_t

from fastrouter.core.dialect cimport Dialect
from fastrouter.core.event cimport Candle
from fastrouter.core.record cimport Record
from fastrouter.core.structs cimport MAX_DIALECTS, MarketFields, Stamp, Topic


cdef class Encoder:
    cdef:
        void* table[MAX_DIALECTS]       # borrowed from `dialects`
        readonly list dialects
        readonly unsigned long long encoded
    cdef int add(self, Dialect dialect) except -1
    cdef Py_ssize_t market(self, char* out, Topic* topic, uint8_t dialect,
                           bint snapshot) except -1
    cdef bytes recorded(self, Record record, Topic* topic, uint8_t dialect)
    cdef bytes _recorded_candle(self, Candle candle, Record record, Topic* topic,
                                uint8_t dialect)
    cdef bytes as_it_was(self, Topic* topic, const Stamp* stamp, const MarketFields* value,
                         uint8_t dialect)
    cdef Py_ssize_t _ask_python(self, char* out, Topic* topic, Dialect dialect,
                                bint snapshot) except -1

cdef bytes framed(bytes payload)
