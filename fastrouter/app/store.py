"""The store and the journal, as they are configured."""

from __future__ import annotations

from contextlib import suppress

from fastrouter import config
from fastrouter.control.database import Database
from fastrouter.errors import ConfigError
from fastrouter.journal.journal import Journal

__all__ = ["open_journal", "open_store"]


def open_store(store: config.Store) -> Database:
    """The caller closes it. Raises ConfigError, which says what to set."""
    try:
        return Database(store.file)
    except ConfigError as error:
        raise _advised(error) from None


def open_journal(journal: config.Journal, store: Database) -> Journal:
    """The caller closes it. Without a file of its own it has a spool beside the store's, which is
    in nobody's way: the store is locked. Raises ConfigError.
    """
    age, size = journal.max_age_seconds, journal.max_bytes
    beside = store.path and store.path.with_name(store.path.name + "-spool")
    if journal.path is not None or beside is None:
        opened = Journal(journal.path, max_age=age, max_bytes=size, fresh=True)
        if beside is not None:  # it would know nothing of this run
            with suppress(OSError):
                beside.unlink()
        return opened
    try:
        return Journal(max_bytes=size, recent=beside)
    except ConfigError as error:
        raise _advised(error) from None


def _advised(error: ConfigError) -> ConfigError:
    return ConfigError(
        f"{error}; choose another with --store (FASTROUTER_STORE__PATH, store.path in the "
        "file), or --store off: memory",
        code=error.code,
    )
