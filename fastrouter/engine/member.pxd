from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libcpp.vector cimport vector

from fastrouter.core.outbox cimport Outbox
from fastrouter.core.taker cimport Taker
from fastrouter.engine.barrier cimport Barrier


cdef struct Debt:               # a batch of which a member was offered something
    uint64_t batch              # its number
    uint64_t first              # id of the first event that it was offered
    uint32_t left               # events that it has not acknowledged


cdef class Member(Taker):
    cdef:
        readonly Barrier barrier
        readonly int number             # 1 is the first that joined
        readonly Outbox outbox          # None while it is away
        readonly int64_t away_since     # ns of the wall clock
        readonly bint ready             # it has said what it wants
        readonly bint gone              # for good
        readonly uint32_t unfinished    # batches that it owes
        readonly uint64_t offered       # events
        readonly uint64_t acknowledged  # ids that it owed
        readonly uint64_t repeated      # ids that it had acknowledged
        readonly uint64_t unknown       # ids that it was not offered
        readonly uint64_t acks          # messages
        vector[Debt] debts              # by batch; those before `head` are paid
        size_t head
        vector[uint64_t] owed           # by id - base: debt as serial + 1 and PAID; 0: not offered
        uint64_t base                   # id
        uint64_t serial                 # of debts[0]
    cdef bint was_offered(self, uint64_t number) noexcept
    cdef int owe(self, uint64_t number) except -1
    cdef bint settle(self, uint64_t number) noexcept
    cdef void pay(self, uint64_t debt) noexcept
    cdef void forget_paid(self) noexcept
    cdef bint lags(self) noexcept
    cdef bint clogged(self) noexcept
    cdef bint had(self, uint64_t number) noexcept
    cdef uint64_t oldest(self) noexcept
