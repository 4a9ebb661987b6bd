"""An address that cannot be had."""

from __future__ import annotations

from fastrouter.errors import ConfigError

__all__ = ["elsewhere"]


def elsewhere(error: ConfigError, options: str, key: str) -> ConfigError:
    """The same error; of an address that cannot be had it says what to set."""
    if error.code != "ADDRESS_UNAVAILABLE":
        return error
    variable = f"FASTROUTER_{key.replace('.', '__').upper()}"
    return ConfigError(
        f"{error}; choose another with {options} ({variable}, {key} in the file)", code=error.code
    )
