from libc.stddef cimport size_t
from libc.stdint cimport int64_t
from libcpp.string cimport string
from libcpp.unordered_set cimport unordered_set
from libcpp.vector cimport vector

from fastrouter.core.structs cimport Topic
from fastrouter.engine.kept cimport Moment


cdef class Floor:
    cdef:
        readonly object broker
        object on_event             # publishes a kind and its payload
        object on_marks             # called with the instant in which something held was valued
        object waiting              # deque of events that are not published yet
        bint awake                  # `watched` is not empty
        bint moved                  # in this instant the broker saw something
        bint changed                # ... by which orders changed
        bint due                    # a session has ended, and the clock was not told
        int64_t wakes               # when the broker's clock is due, ns; INT64_MAX: never
        unordered_set[string] watched
        vector[Moment] seen         # of this instant; those before `shown` the broker has seen
        size_t shown
    cdef int note(self, Topic* topic) except -1
    cdef int open(self, int64_t now) except -1
    cdef bint busy(self)
    cdef bint step(self, int64_t now) except -1
    cdef int show(self, int64_t now) except -1
    cdef int show_one(self, int64_t now) except -1
    cdef int ring(self, int64_t now) except -1
    cdef int forget(self) except -1
    cdef int announce(self, change) except -1
