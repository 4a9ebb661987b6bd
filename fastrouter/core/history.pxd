from libc.stdint cimport int64_t
from libc.stdlib cimport free

from fastrouter.core.structs cimport History, Topic


cdef int remember(Topic* topic, int64_t time, double close) except -1
cdef object closes_until(const Topic* topic, int64_t time)


cdef inline void forget_history(History* history) noexcept:
    if history != NULL:
        free(history.times)
        free(history.closes)
        free(history)
