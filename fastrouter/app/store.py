"""The store, as it is configured."""

from __future__ import annotations

from fastrouter import config
from fastrouter.control.database import Database
from fastrouter.errors import ConfigError

__all__ = ["open_store"]


def open_store(store: config.Store) -> Database:
    """The caller closes it. Raises ConfigError, which says what to set."""
    try:
        return Database(store.file)
    except ConfigError as error:
        raise ConfigError(
            f"{error}; choose another with --store (FASTROUTER_STORE__PATH, store.path in the "
            "file), or --store off: memory",
            code=error.code,
        ) from None
