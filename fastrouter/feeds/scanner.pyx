"""Lines of CSV as rows at once, when there is nothing wrong with any of them."""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memchr

import cython

from fastrouter.core.clib cimport (FR_CELL_COMPACT, FR_CELL_ISO, FR_CELL_UNITS, FR_SCAN_NUMBER,
                                   FR_SCAN_SKIP, FR_SCAN_TEXT, FR_SCAN_TIME, FR_SCAN_VOLUME,
                                   FR_SCAN_WIDTH, fr_intern_count, fr_intern_free, fr_intern_init,
                                   fr_intern_key, fr_scan_column, fr_scan_fits, fr_scan_lines)
from fastrouter.core.rows cimport CandleRow, QuoteRow
from fastrouter.feeds.sense cimport judge_bars, judge_quotes, judge_volumes

import numpy as np

from fastrouter.core.dtypes import QUOTE_DTYPE

__all__ = ["Scanner"]

#: what a column is -> how it is read
WHATS = {"time": FR_SCAN_TIME, "symbol": FR_SCAN_TEXT, "timeframe": FR_SCAN_TEXT}
FORMS = {"iso": FR_CELL_ISO, "compact": FR_CELL_COMPACT}


@cython.final
cdef class Scanner:
    """Of one file.

    - `blank`: an array of one row, with what no cell says; NaN for a `last` that is the mid;
    - `fields`: of each column its field in the row, "volume" of quotes, None when it is not read;
    - `optional`: the fields that may be empty;
    - `faults`: of "symbol" and "timeframe" what tells why a text is none, or None.

    Raises ValueError for a delimiter or a number of columns it cannot have.
    """

    def __cinit__(self, blank, list fields, optional, str delimiter, faults):
        cdef int i
        if not (len(delimiter) == 1 and delimiter.isascii() and fr_scan_fits(ord(delimiter))):
            raise ValueError(f"a cell does not end with {delimiter!r}")
        if len(fields) > FR_SCAN_WIDTH:
            raise ValueError(f"there are {len(fields)} columns; allowed: {FR_SCAN_WIDTH}")
        self.dtype = blank.dtype
        self.blank = blank.tobytes()
        self.plan.blank = self.blank
        self.plan.row_size = len(self.blank)
        self.plan.width = len(fields)
        self.plan.delimiter = ord(delimiter)
        self.faults = [faults["symbol"], faults["timeframe"]]
        self.good.resize(2)
        for i in range(2):
            fr_intern_init(&self.texts[i], 0)
        for i, name in enumerate(fields):
            self.plan_column(i, name, name in optional)

    def __dealloc__(self):
        cdef int i
        for i in range(2):
            fr_intern_free(&self.texts[i])

    cdef int plan_column(self, int i, name, bint may_be_empty) except -1:
        cdef fr_scan_column* column = &self.plan.columns[i]
        column.what = FR_SCAN_SKIP
        if name is None:
            return 0
        column.may_be_empty = may_be_empty
        if name not in self.dtype.names:
            column.what = FR_SCAN_VOLUME
            self.has_volumes = True
            return 0
        kind, offset = self.dtype.fields[name][:2]
        column.what = WHATS.get(name, FR_SCAN_NUMBER)
        column.offset = offset
        column.size = kind.itemsize
        column.table = name == "timeframe"
        return 0

    def scan(self, bytes text not None, str form not None, int64_t unit):
        """The rows of whole lines and the volumes of quotes, if a column tells, or None.

        None when anything at all is not as it should be. `form`: one of `times.TIME_FORMATS`;
        `unit`: ns, of those that are numbers.
        """
        cdef:
            int64_t count
            char[::1] bytes_of_rows
            double[::1] numbers
            double* traded = NULL
        self.plan.form = FORMS.get(form, FR_CELL_UNITS)
        self.plan.unit = unit
        count = lines(text)
        rows = np.empty(count, self.dtype)
        volumes = np.empty(count) if self.has_volumes else None
        if not count:
            return rows, volumes
        bytes_of_rows = rows.view("i1")
        if self.has_volumes:
            numbers = volumes
            traded = &numbers[0]
        if self.fill(text, count, &bytes_of_rows[0], traded) < 0:
            return None
        return rows, volumes

    cdef int64_t fill(self, bytes text, int64_t count, char* rows, double* volumes) except? -2:
        """How many rows there were; -1 when they are not to be used."""
        cdef:
            const char* begin = text
            const char* end = begin + len(text)
            int64_t found
            int i
            bint is_quotes = self.dtype == QUOTE_DTYPE
        for i in range(2):
            self.plan.tables[i].texts = &self.texts[i]
            self.plan.tables[i].good = self.good[i].data()
            self.plan.tables[i].known = self.good[i].size()
        with nogil:
            found = fr_scan_lines(&self.plan, begin, end, rows, volumes, count)
            if found == count and is_quotes:
                found = judge_quotes(<QuoteRow*>rows, count)
            elif found == count:
                found = judge_bars(<const CandleRow*>rows, count)
            if found == count and volumes != NULL and not judge_volumes(volumes, count):
                found = -1
        return found if self.decide() and found == count else -1

    cdef int decide(self) except -1:
        """Look at the texts that are new; 0 when one of them may not be used."""
        cdef:
            int i, all_good = 1
            size_t size
            const char* key
            uint32_t number
        for i in range(2):
            for number in range(self.good[i].size(), fr_intern_count(&self.texts[i])):
                key = fr_intern_key(&self.texts[i], number, &size)
                self.good[i].push_back(is_good(key[:size], self.faults[i]))
                all_good &= self.good[i].back()
        return all_good


cdef bint is_good(bytes text, fault) except -1:
    """May it be used as it stands?"""
    try:
        name = text.decode()
    except UnicodeDecodeError:
        return False
    return name == name.strip() and fault(name) is None


cdef int64_t lines(bytes text) except -1:
    """How many there are, the last without an end included."""
    cdef:
        const char* at = text
        const char* end = at + len(text)
        int64_t count = 0
    with nogil:
        while at < end:
            count += 1
            at = <const char*>memchr(at, c"\n", end - at)
            if at == NULL:
                break
            at += 1
    return count
