"""When a paced session is sent what it is owed: in rounds, an interval apart."""

from libc.stdint cimport int64_t, uint32_t
from cython.operator cimport dereference

import cython

from fastrouter.core.structs cimport LATER, PACED


@cython.final
cdef class Pacer:
    """Paced sessions that wait for their next round, the first that is due first."""

    def __cinit__(self, Clock timer):
        self.timer = timer

    cdef bint postpone(self, OutboxState* state) except -1:
        """List a session until its next round is due; False: it is due."""
        cdef OutboxCold* cold = state.cold
        if self.timer.now() >= cold.due:
            return False
        state.flags |= LATER
        cold.later = cold.due
        self.later.insert(Due(cold.later, state))
        if dereference(self.later.begin()).second == state:
            self.rearm = True
        return True

    cdef OutboxState* pop(self, int64_t now) noexcept:
        """Take the first session off the list, NULL when its time has not come."""
        cdef OutboxState* state
        if self.later.empty() or dereference(self.later.begin()).first > now:
            return NULL
        state = dereference(self.later.begin()).second
        self.unlist(state)
        return state

    cdef void unlist(self, OutboxState* state) noexcept:
        """Take a session off the list."""
        if state.flags & LATER:
            state.flags &= ~<uint32_t>LATER
            self.later.erase(Due(state.cold.later, state))

    cdef size_t round_end(self, OutboxState* state) noexcept:
        """Owed topics before this place may be sent now. Begins a round that is due."""
        cdef OutboxCold* cold = state.cold
        if not state.flags & PACED:
            return cold.dirty.size()
        if cold.round_end <= cold.dirty_head and self.timer.now() >= cold.due:
            cold.round_end = cold.dirty.size()
        return cold.round_end

    cdef void round_sent(self, OutboxCold* cold) noexcept:
        """Some of a round is sent: the next is due an interval from here."""
        cold.due = self.timer.now() + cold.pace

    @property
    def next_due(self):
        """When the next paced session is due, ns of the timer; None when none waits."""
        return None if self.later.empty() else dereference(self.later.begin()).first
