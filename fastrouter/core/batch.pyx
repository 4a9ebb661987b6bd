"""Quotes or candles in a numpy array, checked before any of them is published."""

from cpython.buffer cimport PyBUF_CONTIG_RO, PyBuffer_Release, PyObject_GetBuffer

import cython

from libc.math cimport isfinite

from fastrouter.core.event cimport check_candle, check_quote
from fastrouter.core.rows cimport strnlen
from fastrouter.core.structs cimport QuoteFields

import numpy as np

from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE
from fastrouter.errors import EventError

__all__ = ["Batch"]


@cython.final
cdef class Batch:
    """The rows of an array of QUOTE_DTYPE or CANDLE_DTYPE; every one of them can be published.

    `volumes`: a number for each quote, or None. Raises EventError for another array, and for
    the first bad row, by its number.
    """

    def __cinit__(self, array, Matcher matcher, volumes=None):
        dtype = getattr(array, "dtype", None)
        if dtype not in (QUOTE_DTYPE, CANDLE_DTYPE):
            raise EventError(
                f"{type(array).__name__} of dtype {dtype}; allowed: a numpy array of QUOTE_DTYPE "
                "or CANDLE_DTYPE")
        if array.ndim != 1 or not array.flags.c_contiguous:
            raise EventError("array must have one dimension and be contiguous")
        PyObject_GetBuffer(array.view("u1"), &self.view, PyBUF_CONTIG_RO)
        self.is_held = True
        self.count = len(array)
        if dtype == QUOTE_DTYPE:
            self.quotes = <const QuoteRow*>self.view.buf
            self.check_quotes(matcher)
        else:
            self.candles = <const CandleRow*>self.view.buf
            self.check_candles(matcher)
        if volumes is not None:
            self.check_volumes(volumes)

    def __dealloc__(self):
        if self.is_held:
            PyBuffer_Release(&self.view)

    cdef int check_quotes(self, Matcher matcher) except -1:
        cdef:
            QuoteFields fields
            Py_ssize_t i = 0
        try:
            for i in range(self.count):
                fields = self.quotes[i].fields
                check_quote(&fields)
                matcher.topic(0, self.quotes[i].symbol, strnlen(self.quotes[i].symbol, 32))
        except EventError as error:
            raise EventError(f"row {i}: {error}") from None
        return 0

    cdef int check_volumes(self, volumes) except -1:
        cdef:
            Py_ssize_t i
            const double[::1] numbers
        if self.quotes == NULL:
            raise EventError("volumes go with quotes; a candle has its own")
        try:
            array = np.ascontiguousarray(volumes, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise EventError(f"volumes are no numbers: {error}") from None
        if array.shape != (self.count,):
            raise EventError(f"volumes have the shape {array.shape}; allowed: ({self.count},)")
        numbers = self.owner = array
        for i in range(self.count):
            if not (isfinite(numbers[i]) and numbers[i] >= 0):
                raise EventError(
                    f"row {i}: volume is {numbers[i]}; allowed: finite numbers from 0")
        if self.count:
            self.volumes = &numbers[0]
        return 0

    cdef int check_candles(self, Matcher matcher) except -1:
        cdef Py_ssize_t i = 0
        try:
            for i in range(self.count):
                self.event_types.push_back(check_candle_row(&self.candles[i], matcher))
        except EventError as error:
            raise EventError(f"row {i}: {error}") from None
        return 0


cdef int check_candle_row(const CandleRow* row, Matcher matcher) except -1:
    """The row's event type; EventError when it cannot be published."""
    cdef:
        CandleFields fields
        bytes timeframe = row.timeframe[:strnlen(row.timeframe, 8)]
        int event_type
    found = matcher.rows.get("candle@" + timeframe.decode("utf-8", "replace"))
    if found is None:
        raise EventError(f"timeframe {timeframe!r} is not known")
    event_type = found
    candle_fields(row, &fields)
    check_candle(&fields)
    matcher.topic(event_type, row.symbol, strnlen(row.symbol, 32))
    return event_type
