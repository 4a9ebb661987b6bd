"""One client of a run: what it was offered and has not acknowledged."""

import cython

from fastrouter.core.clib cimport fr_next_id, fr_read_ack
from fastrouter.core.state cimport own_bytes
from fastrouter.core.structs cimport BLOCKED

cdef enum:
    MARK = 64 * 1024            # bytes that wait for its socket; beyond, publishing waits, too

cdef uint64_t PAID = 1ull << 63


@cython.final
cdef class Member(Taker):
    """Made by `Run.join`. Ids count in any order, once each; the others are only counted.

    An event that it was offered belongs to a batch, which it owes until each such event of the
    batch is acknowledged.
    """

    def __init__(self, Barrier barrier not None, int number, Outbox outbox not None):
        self.barrier = barrier
        self.number = number
        self.outbox = outbox

    # --------------------------------------------------------------------- acks

    cdef bint take(self, const char* data, size_t size) except -1:
        """An ``event_ack`` as clients write it, and what follows from it."""
        cdef:
            const char* at = NULL
            const char* end = NULL
            uint64_t number
            int found
        if not fr_read_ack(data, size, &at, &end):
            return False
        found = fr_next_id(&at, end, &number)
        while found >= 0:
            self.settle(number if found else 0)
            found = fr_next_id(&at, end, &number)
        self.acks += 1
        if not self.barrier.closed():
            self.barrier.proceed()
        return True

    def acknowledge(self, numbers) -> None:
        """Take one ack of these ids; an id that is none counts as 0."""
        for number in numbers:
            self.settle(number if 0 < number < 1 << 63 else 0)
        self.acks += 1
        if not self.barrier.closed():
            self.barrier.proceed()

    cdef bint settle(self, uint64_t number) noexcept:
        """One event is acknowledged. False: there was nothing to settle."""
        cdef:
            uint64_t place = number - self.base
            uint64_t debt
        if self.gone:
            return False
        if number < self.base or place >= self.owed.size():
            if 0 < number < self.base:
                self.repeated += 1
            else:
                self.unknown += 1
            return False
        debt = self.owed[place]
        if debt == 0 or debt & PAID:
            self.repeated += debt != 0
            self.unknown += debt == 0
            return False
        self.owed[place] |= PAID
        self.acknowledged += 1
        self.pay(debt - 1)
        return True

    cdef void pay(self, uint64_t debt) noexcept:
        cdef Debt* batch = &self.debts[debt - self.serial]
        batch.left -= 1
        if batch.left:
            return
        if self.unfinished == self.barrier.window:
            self.barrier.holding -= 1
        self.unfinished -= 1
        self.barrier.unfinished -= 1
        self.forget_paid()

    cdef void forget_paid(self) noexcept:
        """Forget the batches in front that are paid, but for one that is still growing."""
        cdef:
            size_t last = self.debts.size()
            size_t cut
            uint64_t first
        while self.head < last and not self.debts[self.head].left and not (
                self.barrier.half and self.debts[self.head].batch == self.barrier.batch):
            self.head += 1
        if self.head == last:
            self.base += self.owed.size()
            self.serial += last
            self.owed.clear()
            self.debts.clear()
            self.head = 0
        elif self.head * 2 >= last:
            first = self.debts[self.head].first
            cut = first - self.base
            self.owed.erase(self.owed.begin(), self.owed.begin() + cut)
            self.debts.erase(self.debts.begin(), self.debts.begin() + self.head)
            self.serial += self.head
            self.base = first
            self.head = 0

    # ------------------------------------------------------------------- offers

    cdef bint was_offered(self, uint64_t number) noexcept:
        """Was the router's newest event offered to it?"""
        return (self.outbox is not None and self.outbox.state != NULL
                and self.outbox.state.mark == number)

    cdef int owe(self, uint64_t number) except -1:
        """It was offered this event of the barrier's batch."""
        cdef:
            Debt debt
            Debt* batch
        if self.debts.empty() or self.debts.back().batch != self.barrier.batch:
            debt.batch = self.barrier.batch
            debt.first = number
            debt.left = 0
            self.debts.push_back(debt)
        if self.owed.empty():
            self.base = number
        else:
            self.owed.resize(number - self.base)
        self.owed.push_back(self.serial + self.debts.size())
        self.offered += 1
        batch = &self.debts.back()
        batch.left += 1
        if batch.left == 1:
            self.barrier.unfinished += 1
            self.unfinished += 1
            if self.unfinished == self.barrier.window:
                self.barrier.holding += 1
        return 0

    # -------------------------------------------------------------------- state

    cdef bint clogged(self) noexcept:
        """Does its socket take nothing just now, or too little?"""
        return (self.outbox is not None and self.outbox.state != NULL
                and (self.outbox.state.flags & BLOCKED
                     or own_bytes(self.outbox.state.cold) > MARK))

    cdef bint lags(self) noexcept:
        """Does the run wait for it?"""
        return (self.outbox is None or self.unfinished >= self.barrier.window
                or (self.barrier.half and self.clogged()))

    cdef uint64_t oldest(self) noexcept:
        """The id of the first event of the first batch it owes; 0 when it owes none."""
        cdef size_t i
        for i in range(self.head, self.debts.size()):
            if self.debts[i].left or (
                    self.barrier.half and self.debts[i].batch == self.barrier.batch):
                return self.debts[i].first
        return 0

    cdef bint had(self, uint64_t number) noexcept:
        """Was it offered this event? Asked of those from `oldest` on."""
        return (number >= self.base and number - self.base < self.owed.size()
                and self.owed[number - self.base] != 0)
