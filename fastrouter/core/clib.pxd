"""Every function of csrc/, declared once. The contracts are in the headers."""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libcpp cimport bool as cbool


cdef extern from "number.hpp" nogil:
    enum:
        FR_INT_MAX
        FR_DOUBLE_MAX

    size_t fr_write_u64(char* out, uint64_t v) noexcept
    size_t fr_write_i64(char* out, int64_t v) noexcept
    size_t fr_write_double(char* out, double v, uint8_t* scale) noexcept
    cbool fr_is_finite(double v) noexcept


cdef extern from "time.hpp" nogil:
    enum:
        FR_ISO8601_LEN

    ctypedef struct fr_second_cache:
        int64_t start
        uint32_t span
        char[20] text

    size_t fr_write_iso8601(char* out, int64_t ns, fr_second_cache* cache) noexcept
    size_t fr_write_iso8601_short(char* out, int64_t ns, fr_second_cache* cache) noexcept
    size_t fr_write_ms(char* out, int64_t ns) noexcept
    int64_t fr_ns_to_ms(int64_t ns) noexcept
    int fr_parse_iso8601(const char* s, size_t n, int64_t* ns) noexcept


cdef extern from "text.hpp" nogil:
    int fr_utf8_valid(const char* s, size_t n) noexcept
    size_t fr_escape_json(char* out, const char* s, size_t n) noexcept


cdef extern from "topic.hpp" nogil:
    enum:
        FR_SYMBOL_MAX

    ptrdiff_t fr_last_colon(const char* s, size_t n) noexcept
    int fr_glob_match(const char* pattern, size_t np, const char* text, size_t nt) noexcept
    int fr_symbol_valid(const char* s, size_t n) noexcept


cdef extern from "intern.hpp" nogil:
    const uint32_t FR_INTERN_NONE

    cdef struct fr_intern:
        pass

    void fr_intern_init(fr_intern* table, uint64_t seed) noexcept
    void fr_intern_free(fr_intern* table) noexcept
    uint32_t fr_intern_find(const fr_intern* table, const char* key, size_t n) noexcept
    uint32_t fr_intern_add(fr_intern* table, const char* key, size_t n) noexcept
    const char* fr_intern_key(const fr_intern* table, uint32_t id, size_t* n) noexcept
    uint32_t fr_intern_count(const fr_intern* table) noexcept


cdef extern from "ack.hpp" nogil:
    int fr_read_ack(const char* text, size_t size, const char** ids, const char** end) noexcept
    int fr_next_id(const char** at, const char* end, uint64_t* number) noexcept


cdef extern from "cell.hpp" nogil:
    ctypedef enum fr_cell_form:
        FR_CELL_UNITS
        FR_CELL_ISO
        FR_CELL_COMPACT

    cbool fr_cell_double(const char* s, const char* e, double* out) noexcept
    cbool fr_cell_time(
        const char* s, const char* e, fr_cell_form form, int64_t unit, int64_t* ns) noexcept


cdef extern from "scan.hpp" nogil:
    enum:
        FR_SCAN_WIDTH
        FR_SCAN_SKIP
        FR_SCAN_TIME
        FR_SCAN_TEXT
        FR_SCAN_NUMBER
        FR_SCAN_VOLUME

    ctypedef struct fr_scan_column:
        uint8_t what
        cbool may_be_empty
        uint16_t offset
        uint16_t size
        uint8_t table

    ctypedef struct fr_scan_texts:
        fr_intern* texts
        const uint8_t* good
        uint32_t known

    ctypedef struct fr_scan:
        fr_scan_column* columns
        int width
        char delimiter
        fr_cell_form form
        int64_t unit
        const char* blank
        size_t row_size
        fr_scan_texts[2] tables

    cbool fr_scan_fits(char delimiter) noexcept
    int64_t fr_scan_lines(const fr_scan* scan, const char* s, const char* end, char* rows,
                          double* volumes, int64_t most) noexcept
