from libc.stdint cimport uint64_t

from fastrouter.core.encoder cimport Encoder
from fastrouter.core.flusher cimport Flusher
from fastrouter.core.matcher cimport Matcher


cdef object tally(Flusher flusher, Encoder encoder, Matcher matcher, set outboxes,
                  uint64_t throttled)
