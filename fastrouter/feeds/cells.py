"""Cells of a column as numbers and texts, vectorised; only columns with a bad cell cost more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FeedError
from .arrow import arrow

__all__ = ["cast_each", "is_text", "plain", "to_codes", "to_floats"]


def plain(column: Any) -> Any:
    """The column without dictionary encoding; texts as one type."""
    pa, types = arrow(), arrow("types")
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_large_string(column.type) or types.is_string_view(column.type):
        column = column.cast(pa.string())
    return column


def is_text(column: Any) -> bool:
    return bool(arrow("types").is_string(column.type))


def cast_each(column: Any, cast: Callable[[Any], Any], null: Any) -> Any:
    """``cast(column)``, with ``null`` (an array of length 1) where a cell alone fails.

    Halves a column that fails, so that few bad cells cost few casts.
    """
    pa = arrow()
    try:
        return cast(column)
    except pa.ArrowInvalid:
        if len(column) == 1:
            return null
    half = len(column) // 2
    parts = [cast_each(part, cast, null) for part in (column[:half], column[half:])]
    return pa.concat_arrays(parts)


def to_floats(column: Any, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The numbers, NaN where there is none, and which cells are empty.

    Raises FeedError for a column whose type cannot hold numbers.
    """
    pa, pc = arrow(), arrow("compute")
    column = plain(column)

    def cast(cells: Any) -> Any:
        return pc.cast(cells, pa.float64(), safe=False)

    try:
        try:
            values = cast(column)
        except pa.ArrowInvalid:
            trimmed = pc.utf8_trim_whitespace(column)
            column = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
            values = cast_each(column, cast, pa.nulls(1, pa.float64()))
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise FeedError(f"column for {name} has type {column.type}, not numbers") from error
    empty = column.is_null().to_numpy(zero_copy_only=False)
    numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
    return numbers, empty


def to_codes(column: Any, name: str) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The distinct texts, and each cell's index into them; an empty cell is a text too.

    Raises FeedError for a column whose type cannot hold texts.
    """
    pa, pc = arrow(), arrow("compute")
    column = plain(column)
    try:
        texts = column if is_text(column) else pc.cast(column, pa.string())
    except pa.ArrowException as error:  # or bytes that are none
        raise FeedError(f"column for {name} has type {column.type}, not texts") from error
    encoded = pc.fill_null(texts, "").dictionary_encode()
    distinct = [text.strip() for text in encoded.dictionary.to_pylist()]
    return distinct, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
