"""Rows that are left out: how many, and the first of them."""

from __future__ import annotations

from pathlib import Path

from .track import row_of

__all__ = ["MOST_NAMED", "LeftOut"]

MOST_NAMED = 20  # rows; all of them could be more than the data


class LeftOut:
    """Is told of each as a `track.BadRow` is."""

    def __init__(self) -> None:
        self.count = 0
        self.named: list[tuple[str, str]] = []  # the first: which row of which file, and why

    def __call__(self, path: Path, number: int, why: str) -> None:
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append((row_of(path, number), why))

    def after(self, text: str) -> str:
        """The text, and what is left out, if anything is."""
        if not self.count:
            return text
        row, why = self.named[0]
        return f"{text}; left out: {self.count:,}, the first is {row}: {why}"
