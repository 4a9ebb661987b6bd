from libc.stdint cimport int64_t
from libcpp.string cimport string
from libcpp.unordered_set cimport unordered_set
from libcpp.vector cimport vector

from fastrouter.core.structs cimport Topic
from fastrouter.engine.kept cimport Moment


cdef class Floor:
    cdef:
        readonly object broker
        object on_change            # called with what the broker changed
        object on_marks             # called with the instant in which something held was valued
        list waiting                # changes that are announced at the end of the instant
        bint holds                  # it is published in part: the others come before them
        bint awake                  # `watched` is not empty
        bint moved                  # in this instant
        int64_t wakes               # when the broker's clock is due, ns; INT64_MAX: never
        unordered_set[string] watched
        vector[Moment] seen         # of this instant, not shown yet
    cdef int note(self, Topic* topic) except -1
    cdef int open(self, int64_t now) except -1
    cdef int close(self, int64_t now) except -1
    cdef int announce(self, change) except -1
    cdef int show(self, int64_t now) except -1
