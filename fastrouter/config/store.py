"""Where orders, jobs and strategies are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field

from fastrouter.config.section import Section

__all__ = ["Store", "default_path"]


def default_path() -> Path:
    """As the XDG base directory specification says; a relative folder does not count."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or "")
    if not folder.is_absolute():
        folder = Path(os.path.expanduser("~"), ".local", "state")
    return folder / "fastrouter" / "state.db"


class Store(Section):
    """Where orders, jobs and strategies are kept over a restart."""

    path: Literal["off"] | Path = Field(
        default_factory=default_path,
        description='a file, made when there is none, of one server at a time, or "off": memory '
        "only; not given: fastrouter/state.db in XDG_STATE_HOME, else in ~/.local/state",
    )

    @property
    def file(self) -> Path | None:
        """None: memory."""
        return None if self.path == "off" else Path(self.path)
