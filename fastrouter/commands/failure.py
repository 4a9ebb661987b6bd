"""How a command fails: one red line per problem, the error's code, a status."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

import typer

from fastrouter.errors import ConfigError, FastrouterError

__all__ = ["expected", "fail", "tell"]

P = ParamSpec("P")
T = TypeVar("T")


def tell(message: str, code: str) -> None:
    """Print what went wrong to stderr."""
    for line in message.splitlines() or [""]:
        typer.secho(f"{code}: {line}", fg=typer.colors.RED, err=True)


def fail(message: str, code: str, status: int) -> NoReturn:
    """Print what went wrong to stderr and exit."""
    tell(message, code)
    raise typer.Exit(status)


def expected(command: Callable[P, T]) -> Callable[P, T]:
    """A command whose errors of our own tree end it with a line, not a traceback.

    Status 2 for what is configured wrong, 1 for what went wrong.
    """

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except FastrouterError as error:
            fail(str(error), error.code, 2 if isinstance(error, ConfigError) else 1)

    return guarded
