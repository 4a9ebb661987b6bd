"""Data that was named file by file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ..errors import FeedError
from .catalog import Catalog, open_dataset
from .dataset import IGNORED, Dataset
from .merge import Stretch
from .track import AS_IT_SAYS, EVERYTHING, BadRow, Reading, Span

__all__ = ["Given", "Told", "given"]


class Given(Catalog):
    """A catalog of one data set, wherever its files are."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def names(self) -> list[str]:
        """Its name."""
        return [self.dataset.name]

    def bad(self) -> dict[str, str]:
        """Nothing: it is open already."""
        return {}

    def open(self, name: str, reading: Reading = AS_IT_SAYS) -> Dataset:
        """It, whatever the reading: it is open already."""
        if name != self.dataset.name:
            raise FeedError(f"there is no data set {name!r}; there is: {self.dataset.name}")
        return self.dataset

    def shown(self, error: object) -> str:
        """As it is: its files are where somebody said."""
        return str(error)


class Told(Dataset):
    """A data set that tells somebody else, too, of each row that is left out."""

    def __init__(self, dataset: Dataset, tell: BadRow) -> None:
        super().__init__(dataset.name, dataset.tracks)
        self._tell = tell

    def stretches(
        self, span: Span = EVERYTHING, on_bad: BadRow = IGNORED, candles: Collection[str] = ()
    ) -> Iterator[Stretch]:
        """See `Dataset.stretches`."""

        def both(path: Path, number: int, why: str) -> None:
            self._tell(path, number, why)
            on_bad(path, number, why)

        return super().stretches(span, both, candles)


def given(
    data: Sequence[str], folder: Path | None = None, reading: Reading = AS_IT_SAYS
) -> Dataset:
    """Files, a folder of files, or the name of a data set in `folder`. Raises FeedError."""
    if folder is not None and len(data) == 1 and not Path(data[0]).exists():
        return Catalog(folder).open(data[0], reading)
    paths = [Path(one) for one in data]
    for path in paths:
        if not path.exists():
            raise FeedError(f"{path}: no such file or folder")
    found = [open_dataset(path, reading) for path in paths]
    name = "+".join(dict.fromkeys(one.name for one in found))
    return Dataset(name, [track for one in found for track in one.tracks])
