from libc.stdint cimport int64_t, uint64_t

from fastrouter.core.clock cimport Clock
from fastrouter.core.router cimport Router
from fastrouter.engine.barrier cimport Barrier
from fastrouter.engine.floor cimport Floor
from fastrouter.engine.kept cimport Kept
from fastrouter.engine.member cimport Member
from fastrouter.engine.tape cimport Tape


cdef class Run(Barrier):
    cdef:
        readonly str id
        readonly Router router
        readonly Clock clock            # simulated time
        readonly Clock wall
        readonly Tape tape
        readonly list members           # by number; without those that are gone
        readonly int clients            # that it begins with
        readonly int joined             # so far
        readonly int ready              # members that have said what they want
        readonly int64_t evict          # ns of wall time that it waits for a laggard; 0: for ever
        readonly int64_t patience       # ns of wall time that it waits for one that is away
        readonly list news              # for the host, who takes them out
        readonly bint over
        readonly int64_t since          # wall clock when it last went on, ns
        public object on_news           # called without arguments when there are some
        public uint64_t bad_rows
        readonly bint begun             # all have come
        int64_t began                   # wall clock, ns
        int64_t ended                   # the same, once it is over
        readonly int64_t first          # time of the first instant, ns
        readonly uint64_t instants
        public Floor floor              # None while nobody trades
        bint rows                       # of this instant are not published yet
        Kept kept
        size_t kept_most                # when more are kept, look what may be forgotten
        bint busy
        object __weakref__
    cdef int publish(self) except -1
    cdef int publish_some(self) except -1
    cdef bint trading(self) except -1
    cdef bint next_instant(self) except -1
    cdef int begin_batch(self, int64_t time) except -1
    cdef int show_forming(self) except -1
    cdef bint owed(self, uint64_t number) except -1
    cdef int forget(self) except -1
    cdef bint clogged(self) except -1
    cdef int flush(self) except -1
    cdef int remove(self, Member member) except -1
    cdef int end(self) except -1
    cdef int finish(self) except -1
