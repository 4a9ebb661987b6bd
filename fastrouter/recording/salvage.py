"""What a recording left that was killed."""

from __future__ import annotations

from pathlib import Path

from ..errors import FastrouterError
from .part import PARTS, SUFFIX, failing, part_of

__all__ = ["salvage"]


def salvage(out: Path) -> list[Path]:
    """Make files of the parts of a recording at ``out``, a file or a folder; which they are.

    Raises FastrouterError when there are none, or the disk does not take it.
    """
    if out.is_dir():
        parts = sorted(path for path in out.iterdir() if path.suffix == SUFFIX)
        files = [path.with_suffix("") for path in parts]
    else:
        files = [out] if part_of(out).exists() else []
    files = [file for file in files if file.suffix in PARTS]
    if not files:
        raise FastrouterError(f"{out}: there is nothing left of a recording", code="NO_RECORDING")
    for file in files:
        with failing(file):
            PARTS[file.suffix].complete(file)
    return files
