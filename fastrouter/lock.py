"""The lock on a database's file: one server at a time, by whatever name it is opened."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from fastrouter.errors import ConfigError

__all__ = ["Lock"]

#: Files that this process holds. To close a file takes SQLite's locks on it from the whole
#: process, so that what is held here must not even be opened for a try.
held: set[tuple[int, int]] = set()


class Lock:
    """Locks the file at `path` for as long as it is open; makes it, for its owner alone.

    SQLite locks with `fcntl`, this one with `flock`: they know nothing of each
    other. The caller has SQLite open the file after this, and close it before.
    `new` says that the file is empty, `identity` which one it is (device, number there); `what`
    it is ("journal"), errors say. Raises ConfigError when somebody has it, under this name or
    another (code JOURNAL_LOCKED …), and for what cannot be opened.
    """

    def __init__(self, path: Path, what: str = "journal") -> None:
        self.path = path
        name = f"{what} {path}"
        taken = ConfigError(f"{name} is in use by another server", code=f"{what.upper()}_LOCKED")
        with suppress(OSError):  # it is opened next, and that says what is wrong
            if _identity(os.stat(path)) in held:
                raise taken
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"{name} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise taken from None
        except OSError as error:
            os.close(self._descriptor)
            raise ConfigError(f"{name} cannot be locked: {error.strerror}") from None
        status = os.fstat(self._descriptor)
        self.identity = _identity(status)
        self.new = not status.st_size
        self._closed = False
        held.add(self.identity)

    def close(self) -> None:
        """Let go of the file. Safe to call again."""
        if not self._closed:
            self._closed = True
            held.discard(self.identity)
            os.close(self._descriptor)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
