"""The life of an OutboxState, and the references it holds."""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset
from libcpp.vector cimport vector

from fastrouter.core.frame cimport bytes_free, bytes_size
from fastrouter.core.structs cimport (
    CLOSED, INLINE_REFS, MUTE, QUEUED, RUN, Membership, OutboxCold, OutboxState,
)


cdef extern from "<stdlib.h>" nogil:
    void* aligned_alloc(size_t alignment, size_t size) noexcept


cdef inline OutboxState* new_state(void* sink, uint8_t dialect, size_t bound) except NULL:
    cdef OutboxState* state = <OutboxState*>aligned_alloc(64, sizeof(OutboxState))
    if state != NULL:
        memset(state, 0, sizeof(OutboxState))
        state.cold = <OutboxCold*>calloc(1, sizeof(OutboxCold))
    if state == NULL or state.cold == NULL:
        free(state)
        raise MemoryError()
    state.refs = state.inline_refs
    state.capacity = INLINE_REFS
    state.cold.sink = sink
    state.cold.dialect = dialect
    state.cold.bound = bound
    state.cold.held = new vector[Membership]()
    return state


cdef inline void release(OutboxState* state) noexcept:
    """Free a session's state; the last bytes of it wait for the queue if it stands there."""
    cdef OutboxCold* cold = state.cold
    if state.refs != state.inline_refs:
        free(state.refs)
    bytes_free(&cold.control)
    bytes_free(&cold.backlog)
    del cold.held
    del cold.accounts
    del cold.dirty
    del cold.marks
    free(cold)
    state.cold = NULL
    state.count = 0
    state.flags |= CLOSED
    if not state.flags & QUEUED:
        free(state)


cdef inline size_t own_bytes(const OutboxCold* cold) noexcept:
    """Bytes held for this session alone."""
    return bytes_size(&cold.control) + bytes_size(&cold.backlog)


cdef inline uint32_t waiting(const OutboxState* state) noexcept:
    """Events that wait to be sent."""
    return 0 if state.flags & MUTE else state.count + state.cold.queued + state.cold.owed


cdef inline bint may_see(const OutboxCold* cold, uint32_t account) noexcept:
    """Is the session allowed this account's events?"""
    return cold.accounts == NULL or cold.accounts.count(account) > 0


# ------------------------------------------------------------------ references

cdef inline uint32_t first_ref(const OutboxState* state) noexcept:
    return state.inline_refs[0] if state.flags & RUN else state.refs[0]


cdef inline uint32_t last_ref(const OutboxState* state) noexcept:
    if state.flags & RUN:
        return state.inline_refs[0] + state.count - 1
    return state.refs[state.count - 1]


cdef inline void forget_refs(OutboxState* state) noexcept:
    state.flags &= ~<uint32_t>RUN
    state.count = 0


cdef inline int grow_refs(OutboxState* state) except -1:
    cdef:
        uint32_t capacity = state.capacity * 2
        bint is_inline = state.refs == state.inline_refs
        uint32_t* refs = <uint32_t*>realloc(
            NULL if is_inline else state.refs, capacity * sizeof(uint32_t))
    if refs == NULL:
        raise MemoryError()
    if is_inline:
        memcpy(refs, state.inline_refs, state.count * sizeof(uint32_t))
    state.refs = refs
    state.capacity = capacity
    return 0


cdef inline void shrink_refs(OutboxState* state) noexcept:
    """Back to the references inside the state; there are none now."""
    free(state.refs)
    state.refs = state.inline_refs
    state.capacity = INLINE_REFS


cdef inline int spell_out(OutboxState* state) except -1:
    """Write the references of a RUN to the list."""
    cdef uint32_t i, first = state.inline_refs[0], count = state.count
    if not state.flags & RUN:
        return 0
    state.count = 0             # there is nothing in the list to copy
    while state.capacity < count:
        grow_refs(state)
    for i in range(count):
        state.refs[i] = first + i
    state.count = count
    state.flags &= ~<uint32_t>RUN
    return 0
