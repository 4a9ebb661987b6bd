"""Recordings: what a session brings, as files that can be replayed.

::

    FILE.parquet, FILE.csv   quotes, or closed candles
    FOLDER/quotes.parquet    both: a data set of the engine's catalog
    FOLDER/candles.parquet
    FOLDER/dataset.toml

Times are ns since the epoch, as they were received. A file's rows stand in the order in which they
are known: a quote at its time, a candle at its end. Snapshots are not recorded, as they tell what
had been before; nor are forming candles, which the quotes build anew.

While it is under way, a file has ``.part`` behind its name and grows by whole portions, so that
`salvage` makes a file of what a process left that was killed: all that was flushed, but for the
second before the newest row, in which there may be another still.

Replayed, a recording has the same quotes, by their times, and the same closed candles, by their
ends. What is not the same is where a closed candle stands among quotes: live it comes when the
next quote, or the clock, shows that it is closed, and replayed at its end.
"""

from __future__ import annotations

from .recording import Recording, Totals
from .salvage import salvage

__all__ = ["Recording", "Totals", "salvage"]
