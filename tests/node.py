"""Node, for tests that run JavaScript; they are skipped where it is missing.

Packages that clients of ours use (`ws`, `uuid`) are found by ``NODE_PATH``.
"""

from __future__ import annotations

import functools
import shutil
import subprocess

import pytest

NODE = shutil.which("node") or "node"
SECONDS = 60


@functools.cache
def _run(*arguments: str) -> str | None:
    """What a short command of node prints; None when it fails, or there is no node."""
    try:
        done = subprocess.run(
            [NODE, *arguments], capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def version() -> tuple[int, ...]:
    """As (20, 1, 0); (0,) without node."""
    text = _run("--version")
    return tuple(int(part) for part in text.lstrip("v").split(".")) if text else (0,)


def has(package: str) -> bool:
    return _run("-e", f"require('{package}')") is not None


def need(*packages: str, at_least: int = 18) -> None:
    """Skip the test, with the reason, unless node and the packages are there."""
    found = version()
    if found < (at_least,):
        pytest.skip(f"needs node {at_least}; found {'.'.join(map(str, found))}")
    missing = [name for name in packages if not has(name)]
    if missing:
        pytest.skip(f"needs node's {', '.join(missing)}: npm install, and NODE_PATH")
