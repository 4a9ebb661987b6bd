"""The store and the journal, as they are configured."""

from __future__ import annotations

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
    """The caller closes it. Without a file of its own it has one beside the store. Raises
    ConfigError.
    """
    age, size = journal.max_age_seconds, journal.max_bytes
    if journal.path is not None or store.path is None:
        return Journal(journal.path, max_age=age, max_bytes=size, fresh=True)
    beside = store.path.with_name(store.path.name + "-spool")
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
