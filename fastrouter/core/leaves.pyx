"""The C leaves for slow paths and for tests: one call, one value, Python objects in and out.

Hot paths cimport the same functions from ``fastrouter.core.clib``; what they promise in full is
written at the top of each header in ``csrc/``.
"""

from cpython.number cimport PyNumber_Index
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from fastrouter.core.clib cimport (
    FR_DOUBLE_MAX,
    FR_INT_MAX,
    FR_INTERN_NONE,
    FR_ISO8601_LEN,
    fr_escape_json,
    fr_glob_match,
    fr_intern,
    fr_intern_add,
    fr_intern_count,
    fr_intern_find,
    fr_intern_free,
    fr_intern_init,
    fr_intern_key,
    fr_is_finite,
    fr_last_colon,
    fr_next_id,
    fr_ns_to_ms,
    fr_parse_iso8601,
    fr_read_ack,
    fr_second_cache,
    fr_symbol_valid,
    fr_utf8_valid,
    fr_write_double,
    fr_write_i64,
    fr_write_iso8601,
    fr_write_iso8601_short,
    fr_write_ms,
    fr_write_u64,
)

cimport cython

from fastrouter.errors import EventError

__all__ = [
    "Intern",
    "escape_json",
    "format_double",
    "format_int",
    "glob_match",
    "iso8601",
    "iso8601_short",
    "ms_text",
    "ns_to_ms",
    "parse_iso8601",
    "read_ack",
    "split_topic",
    "symbol_valid",
    "utf8_valid",
]

cdef fr_second_cache last_second  # under the GIL, like every function here


def format_double(double value, *, int scale=0):
    """The ECMA-262 text of a double: the shortest that reads back to the same one.

    ``scale`` (0..15 decimals) is a hint that never changes the result. Raises `EventError` for
    infinities and what is not a number, which JSON cannot say.
    """
    if not fr_is_finite(value):
        raise EventError(f"{value} is not a finite number")
    if not 0 <= scale <= 15:
        raise ValueError(f"scale {scale} is not in 0..15")
    cdef char[FR_DOUBLE_MAX] out
    cdef uint8_t hint = <uint8_t>scale
    return out[:fr_write_double(out, value, &hint)].decode("ascii")


def format_int(value):
    """The decimal text of an integer from -2^63 to 2^64 - 1; `OverflowError` beyond."""
    cdef char[FR_INT_MAX] out
    cdef size_t n
    cdef object number = PyNumber_Index(value)
    if number < 0:
        n = fr_write_i64(out, <int64_t>number)
    else:
        n = fr_write_u64(out, <uint64_t>number)
    return out[:n].decode("ascii")


def iso8601(int64_t ns):
    """``2025-01-01T00:00:00.000000Z`` from ns since the epoch, microseconds rounded down."""
    cdef char[FR_ISO8601_LEN] out
    return out[:fr_write_iso8601(out, ns, &last_second)].decode("ascii")


def iso8601_short(int64_t ns):
    """As `iso8601`, without a fraction that is 0: ``2025-01-01T00:00:00Z``."""
    cdef char[FR_ISO8601_LEN] out
    return out[:fr_write_iso8601_short(out, ns, &last_second)].decode("ascii")


def ms_text(int64_t ns):
    """The decimal text of `ns_to_ms`, as encoders write it."""
    cdef char[FR_INT_MAX] out
    return out[:fr_write_ms(out, ns)].decode("ascii")


def ns_to_ms(int64_t ns):
    """Whole milliseconds since the epoch from ns since the epoch, rounded down."""
    return fr_ns_to_ms(ns)


def parse_iso8601(text):
    """The ns since the epoch of ``YYYY-MM-DDTHH:MM:SS[.f](Z|+HH:MM|-HH:MM)``, str or bytes.

    ``f`` has 1 to 9 digits; a space may stand for the ``T``. Raises `ValueError` for anything else
    and for what 64 bits of ns do not reach.
    """
    cdef bytes data = text.encode("ascii", "replace") if isinstance(text, str) else text
    cdef int64_t ns = 0
    if fr_parse_iso8601(data, len(data), &ns) != 0:
        raise ValueError(
            f"{text[:64]!r} is not a time; allowed: YYYY-MM-DDTHH:MM:SS, a fraction of 1 to 9 "
            "digits or none, then Z or +HH:MM or -HH:MM, from 1677-09-21T00:12:43.145224192Z "
            "to 2262-04-11T23:47:16.854775807Z"
        )
    return ns


def escape_json(bytes text not None):
    """The bytes as they stand between the quotes of a JSON string; UTF-8 is passed through."""
    cdef size_t n = len(text)
    cdef char* out = <char*>malloc(6 * n + 1)
    if out == NULL:
        raise MemoryError
    try:
        return out[:fr_escape_json(out, text, n)]
    finally:
        free(out)


def utf8_valid(bytes text not None):
    """Whether the bytes are UTF-8 as RFC 3629 defines it."""
    return fr_utf8_valid(text, len(text)) != 0


def split_topic(str topic not None):
    """``("S:AAPL", "quote")`` from ``"S:AAPL:quote"``; `ValueError` when there is no colon."""
    cdef bytes data = topic.encode()
    cdef Py_ssize_t colon = fr_last_colon(data, len(data))
    if colon < 0:
        raise ValueError(f"{topic[:64]!r} has no ':'; allowed: SYMBOL:EVENT_TYPE")
    return data[:colon].decode(), data[colon + 1:].decode()


def glob_match(str pattern not None, str text not None):
    """Whether the pattern matches all of the text; ``*`` stands for any run, none included."""
    cdef bytes p = pattern.encode()
    cdef bytes t = text.encode()
    return fr_glob_match(p, len(p), t, len(t)) != 0


def symbol_valid(str symbol not None):
    """Whether this can be a symbol: 1 to 128 bytes of UTF-8, no space, control, ``,`` or ``*``."""
    cdef bytes data
    try:
        data = symbol.encode()
    except UnicodeEncodeError:
        return False
    return fr_symbol_valid(data, len(data)) != 0


def read_ack(bytes text not None):
    """The numbers of the ids in an ``event_ack``, 0 for what is none; None for no plain ack."""
    cdef:
        list numbers = []
        const char* at = NULL
        const char* end = NULL
        uint64_t number
        int found
    if not fr_read_ack(text, len(text), &at, &end):
        return None
    found = fr_next_id(&at, end, &number)
    while found >= 0:
        numbers.append(number if found else 0)
        found = fr_next_id(&at, end, &number)
    return numbers


@cython.final
cdef class Intern:
    """Byte strings to dense ids 0, 1, 2, ... in the order of `add`.

    ``seed`` keys the hash: take 64 random bits where keys come from clients.
    """

    cdef fr_intern table

    def __cinit__(self, uint64_t seed):
        fr_intern_init(&self.table, seed)

    def __dealloc__(self):
        fr_intern_free(&self.table)

    def __len__(self):
        return fr_intern_count(&self.table)

    def add(self, bytes key not None):
        """The id of a key, given now if it is new."""
        cdef uint32_t found = fr_intern_add(&self.table, key, len(key))
        if found == FR_INTERN_NONE:
            raise MemoryError
        return found

    def find(self, bytes key not None):
        """The id of a key, None when it was never added."""
        cdef uint32_t found = fr_intern_find(&self.table, key, len(key))
        return None if found == FR_INTERN_NONE else found

    def key(self, uint32_t number):
        """The key of an id; `IndexError` for an id that was never given."""
        cdef size_t n
        cdef const char* key
        if number >= fr_intern_count(&self.table):
            raise IndexError(f"id {number} was never given; ids so far: {len(self)}")
        key = fr_intern_key(&self.table, number, &n)
        return key[:n]
