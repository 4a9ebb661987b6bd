"""The C programs of the bench, compiled when they are needed."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent
FLAGS = ("-O2", "-Wall", "-Wextra")


class CompilerMissing(RuntimeError):
    """There is no C compiler, or it refused a source of the bench."""


def compiler() -> list[str]:
    """The words of ``$CC``, by default ``cc``. Raises CompilerMissing when it is not there."""
    words = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(words[0]) is None:
        raise CompilerMissing(
            f"the fan-out bench compiles its load generator and floors with {words[0]!r}, which is "
            "not installed: install a C compiler (gcc or clang) or name one in CC"
        )
    return words


def compile_program(name: str, directory: Path) -> Path:
    """Compile ``bench/<name>.c`` into ``directory`` and return the program's path."""
    program = directory / name
    command = [*compiler(), *FLAGS, str(SOURCES / f"{name}.c"), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise CompilerMissing(f"{shlex.join(command)} failed:\n{done.stderr}")
    return program
