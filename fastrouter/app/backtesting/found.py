"""What is found in the data before a run, and what is said when that is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastrouter.core.leaves import iso8601
from fastrouter.engine.contents import Contents, look
from fastrouter.engine.dataset import Dataset
from fastrouter.engine.left_out import LeftOut
from fastrouter.engine.query import Wanted
from fastrouter.engine.track import Span

__all__ = ["Found", "find", "no_row"]

MOST_SYMBOLS = 20  # in a line


class Found(NamedTuple):
    """The contents as far as they were looked at, and the rows that were left out on the way."""

    contents: Contents
    left_out: LeftOut

    def lacks(self, wanted: Wanted) -> str:
        """Of data in which no row is wanted: what there is none of, and what is left out."""
        said = [no_row(wanted.symbols) if wanted.symbols else "there is no row"]
        if wanted.start is not None:
            said.append(f"from {iso8601(wanted.start)}")
        if wanted.end is not None:
            said.append(f"before {iso8601(wanted.end)}")
        return self.left_out.after(" ".join(said))


def find(dataset: Dataset, span: Span) -> Found:
    """Look at the data. Raises FeedError."""
    left_out = LeftOut()
    return Found(look(dataset, span, left_out), left_out)


def no_row(symbols: Sequence[str]) -> str:
    """Symbols that no row has, in a line."""
    more = " …" if len(symbols) > MOST_SYMBOLS else ""
    return f"no row has {', '.join(symbols[:MOST_SYMBOLS])}{more}"
