"""A command that takes another after ``--``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

__all__ = ["SplitCommand", "behind"]

BEHIND = "fastrouter.behind"


class SplitCommand(TyperCommand):
    """What stands after the first ``--`` is not its own: see `behind`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See click."""
        if "--" in args:
            place = args.index("--")
            args, ctx.meta[BEHIND] = args[:place], args[place + 1 :]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """See click."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND …]"]


def behind(context: Any) -> list[str]:
    """The words after ``--``; none when there is none."""
    words: list[str] = context.meta.get(BEHIND, [])
    return words
