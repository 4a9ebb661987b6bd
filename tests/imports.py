"""What the modules of a source tree import, and on which line: Python by its grammar, Cython
by its import and cimport statements."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".py", ".pyi", ".pyx", ".pxd")


class Import(NamedTuple):
    """`module` names `target` (absolute, a module where the tree has one of that name)."""

    file: str  # relative to the tree's root
    line: int
    module: str
    target: str


def imports(root: Path, package: str) -> Iterator[Import]:
    """Every import in the package's modules, those in functions and for type checkers included.

    `root` is the folder the package is in. A use of an attribute of `os` counts as an import
    of it: ``os.environ``.
    """
    files = sorted(path for path in (root / package).rglob("*") if path.suffix in SUFFIXES)
    known = {module_name(path.relative_to(root)) for path in files}
    for path in files:
        relative = path.relative_to(root)
        name = module_name(relative)
        home = name if path.stem == "__init__" else name.rpartition(".")[0]
        read = python_imports if path.suffix in (".py", ".pyi") else cython_imports
        for line, level, base, names in read(path.read_text()):
            if level:
                up = home.split(".")[: len(home.split(".")) - level + 1]
                base = ".".join([*up, base] if base else up)
            for target in sorted({of(base, imported, known) for imported in names or [""]}):
                yield Import(str(relative), line, name, target)


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def of(base: str, name: str, known: set[str]) -> str:
    """``from base import name`` is about base.name where that is a module, or of os."""
    whole = f"{base}.{name}"
    return whole if whole in known or (base == "os" and name) else base


Statement = tuple[int, int, str, list[str]]  # line, dots, module, names


def python_imports(text: str) -> Iterator[Statement]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, 0, alias.name, []
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            yield node.lineno, node.level, node.module or "", names
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
        ):
            yield node.lineno, 0, "os", [node.attr]


TEXT = re.compile(
    r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#.*'
)
FROM = re.compile(r"^[ \t]*from\s+(\.*)\s*([\w.]*)\s+c?import\s+(\([^)]*\)|.*)$", re.MULTILINE)
PLAIN = re.compile(r"^[ \t]*c?import\s+(.*)$", re.MULTILINE)
OS = re.compile(r"\bos\.(\w+)")


def cython_imports(text: str) -> Iterator[Statement]:
    bare = TEXT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text).replace("\\\n", "  \n")
    for found in FROM.finditer(bare):
        yield line_of(bare, found), len(found[1]), found[2], words(found[3])
    for found in PLAIN.finditer(bare):
        for name in words(found[1]):
            yield line_of(bare, found), 0, name, []
    for found in OS.finditer(bare):
        yield line_of(bare, found), 0, "os", [found[1]]


def line_of(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start() + len(found[0]) - len(found[0].lstrip())) + 1


def words(names: str) -> list[str]:
    """``(a, b as c,)`` -> a, b."""
    return [part.split()[0] for part in names.strip("() \n").split(",") if part.strip()]
