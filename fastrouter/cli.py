"""The entry point of the ``fastrouter`` command.

The commands themselves need the ``server`` extra; this file needs nothing, so
that a base install can say what is missing.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

#: What ``fastrouter[server]`` brings along.
EXTRA = frozenset({"pydantic", "pydantic_settings", "rich", "structlog", "typer"})


def main() -> None:
    """Run the command that ``sys.argv`` names and exit with its status."""
    try:
        from fastrouter.commands import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        sys.exit(_missing(error.name))
    app()


def _missing(name: str | None) -> int:
    print(
        f"fastrouter: the command line needs {name}; run: pip install 'fastrouter[server]'",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    main()
