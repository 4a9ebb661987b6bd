"""Whether the files that are in use are still those that their names stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["Presence"]


class Presence:
    """Remembers which files these paths name now; paths without a file do not matter."""

    def __init__(self, paths: Iterable[Path]) -> None:
        found = ((path, _identity(path)) for path in paths)
        self._files = {path: identity for path, identity in found if identity}

    def removed(self) -> list[Path]:
        """The paths that name no file any more, or another one."""
        return [path for path, identity in self._files.items() if _identity(path) != identity]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
