from fastrouter.core.structs cimport MarketFields, Stamp, Topic, TopicText


cdef enum:                      # what an encoder answers instead of a size
    NOT_SENT = 0                # this dialect has no such message
    ASK_PYTHON = -1             # no C encoder: build the event and call encode()
    RAISED = -2                 # of a candle's encoder, which may ask Python on the way


cdef class Dialect:
    cdef readonly str name
    cdef Py_ssize_t encode_quote(self, char* out, TopicText* text, const Topic* topic,
                                 const Stamp* stamp, const MarketFields* value,
                                 bint snapshot) noexcept
    cdef Py_ssize_t encode_candle(self, char* out, TopicText* text, const Topic* topic,
                                  const Stamp* stamp, const MarketFields* value,
                                  bint snapshot) except? -2
    cdef TopicText* new_text(self, const Topic* topic) except NULL
