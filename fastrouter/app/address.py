"""An address that cannot be had."""

from __future__ import annotations

from fastrouter.errors import ConfigError

__all__ = ["elsewhere"]


def elsewhere(error: ConfigError, options: str | None, key: str) -> ConfigError:
    """The same error; of an address that cannot be had it says what to set.

    `options` are those of the command line, if there are any.
    """
    if error.code != "ADDRESS_UNAVAILABLE":
        return error
    variable = f"FASTROUTER_{key.replace('.', '__').upper()}"
    where = f"{variable}, {key} in the file"
    means = where if options is None else f"{options} ({where})"
    return ConfigError(f"{error}; choose another with {means}", code=error.code)
