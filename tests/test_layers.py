"""Who may import whom. A new room of the house starts with a row here."""

import re
from pathlib import Path

import pytest

from .imports import imports

ROOT = Path(__file__).parents[1]
PACKAGE = "fastrouter"

#: room -> the rooms it may import besides itself; "." is the package's face, `__init__`.
#: A module belongs to the longest name that fits it.
MAY_IMPORT = {
    "errors": (),
    "core": ("errors",),
    "lock": ("errors",),
    "models": ("core", "errors"),
    "dialects": ("core", "errors"),
    "session": ("dialects", "core", "errors"),
    "journal": ("lock", "core", "errors"),
    "net": ("journal", "session", "dialects", "core", "errors"),
    "bus": ("dialects", "models", "core", "errors"),
    "feeds": ("bus", "client", "core", "errors"),
    "engine": ("feeds", "broker", "models", "core", "errors"),
    "recording": ("feeds", "core", "errors"),
    "broker": ("models", "core", "errors"),
    # the router's counters, and sessions through an interface that app hands in: never net
    "control": ("broker", "lock", "models", "core", "errors"),
    "client": ("net.client", "dialects", "core", "errors"),
    "embed": ("net", "journal", "session", "dialects", "models", "core", "errors"),
    "config": ("bus", "feeds", "session", "dialects", "core", "errors"),
    "log": ("config",),
    "app": (
        *("log", "config", "embed", "broker", "bus", "client", "control", "engine", "feeds"),
        *("journal", "net", "session", "dialects", "core", "errors", "."),
    ),
    "commands": ("app", "config", "client", "recording", "dialects", "core", "errors", "."),
    "cli": ("commands",),
    "examples": ("client", "errors", "."),  # what anybody's strategy may
    ".": ("embed", "client", "core", "errors"),
}

#: module of others -> the only rooms that may name it
ONLY_IN = {
    "picows": ("net", "client.wire"),
    "uvloop": ("app", "net", "examples"),
}

#: room -> modules of others it must not name
NEVER = {
    "core": ("asyncio", "logging", "time", "libc.time", "posix.time", "structlog"),
    "dialects": ("asyncio",),
    "session": ("asyncio", "logging", "time", "structlog"),
    "broker": ("asyncio", "logging", "time", "structlog"),
}

#: room -> all that it may use of `os`
OS_USES = {"core": ("urandom",), "session": ()}


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


def inside(module: str) -> str:
    """``fastrouter.core.event`` -> ``core.event``; the package itself -> ``.``"""
    return "." if module == PACKAGE else module.removeprefix(PACKAGE + ".")


def room_of(name: str) -> str | None:
    return max((room for room in MAY_IMPORT if within(name, (room,))), key=len, default=None)


def complaint(module: str, target: str) -> str | None:
    """Why `module` must not import `target`, and what is allowed instead."""
    name = inside(module)
    room = room_of(name)
    if room is None:
        return f"{name!r} has no row in MAY_IMPORT; allowed: {', '.join(MAY_IMPORT)}"
    if within(target, (PACKAGE,)):
        allowed = MAY_IMPORT[room]
        if within(inside(target), (room, *allowed)):
            return None
        return f"{room!r} imports {target}; allowed: {', '.join(allowed) or 'nothing'}"
    for other, rooms in ONLY_IN.items():
        if within(target, (other,)) and not within(name, rooms):
            return f"{room!r} names {other}; allowed in: {', '.join(rooms)}"
    if within(target, NEVER.get(room, ())):
        return f"{room!r} names {target}; allowed: all but {', '.join(NEVER[room])}"
    uses = OS_USES.get(room)
    if uses is not None and target.startswith("os.") and target[3:] not in uses:
        return f"{room!r} uses {target}; allowed of os: {', '.join(uses) or 'nothing'}"
    return None


def complaints(root: Path) -> list[str]:
    found = [(one, complaint(one.module, one.target)) for one in imports(root, PACKAGE)]
    return [f"{one.file}:{one.line}: {why}" for one, why in found if why]


def test_everybody_imports_only_what_the_table_allows():
    assert "\n".join(complaints(ROOT)) == ""


def test_the_c_leaves_know_nobody():
    leaves = {path.name for path in ROOT.glob("csrc/*")}
    for path in ROOT.glob("csrc/*"):
        for quoted, system in re.findall(r'#\s*include\s+(?:"(.*)"|<(.*)>)', path.read_text()):
            assert not quoted or quoted in leaves, f"{path.name} includes {quoted}"
            assert "Python" not in system, f"{path.name} includes {system}"


def test_only_core_names_the_c_leaves():
    for path in ROOT.glob("fastrouter/**/*.p[yx][xd]"):
        if path.parent.name != "core":
            assert not re.search(r'extern from ".*\.hpp"', path.read_text()), path


# ------------------------------------------------------------------ the checker itself


@pytest.fixture
def tree(tmp_path):
    def grow(file: str, text: str) -> list[str]:
        path = tmp_path / "fastrouter" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return complaints(tmp_path)

    for name in ("net/server.py", "core/event.pyx", "core/clock.pyx", "dialects/__init__.py"):
        grow(name, "")
    return grow


@pytest.mark.parametrize(
    ("file", "text", "line", "what"),
    [
        ("core/a.py", "import math\nimport fastrouter.net.server\n", 2, "fastrouter.net.server"),
        ("core/a.py", "def f():\n    from fastrouter.net import server\n", 2, "net.server"),
        ("core/a.py", "from ..net.server import Server\n", 1, "net.server"),
        ("core/a.py", "from .. import net\n", 1, "fastrouter"),
        ("core/a.pyi", "from fastrouter.session.session import Session\n", 1, "session.session"),
        ("core/a.pyx", '"""Words.\n\n"""\n\nfrom ..net cimport server\n', 5, "net.server"),
        ("core/a.pxd", "from fastrouter.net.server cimport (\n    A, B,\n)\n", 1, "net.server"),
        ("core/a.pyx", "cimport fastrouter.net.server as s\n", 1, "net.server"),
        ("core/a.pyx", "from fastrouter.net.server \\\n    import A\n", 1, "net.server"),
        ("session/a.py", "import asyncio\n", 1, "asyncio"),
        ("dialects/a.pyx", "import orjson, asyncio\n", 1, "asyncio"),
        ("core/a.pyx", "from posix.time cimport clock_gettime\n", 1, "posix.time"),
        ("core/a.py", "import os\n\nhome = os.environ['HOME']\n", 3, "os.environ"),
        ("core/a.py", "from os import environ\n", 1, "os.environ"),
        ("core/a.pyx", "import os\nhome = os.getenv('HOME')\n", 2, "os.getenv"),
        ("session/a.py", "from picows import WSListener\n", 1, "picows"),
        ("client/link.py", "import picows\n", 1, "picows"),
        ("feeds/a.pyx", "from picows.picows cimport WSFrame\n", 1, "picows"),
        ("embed.py", "import uvloop\n", 1, "uvloop"),
        ("net/a.py", "from fastrouter import app\n", 1, "fastrouter"),
        ("control/a.py", "from fastrouter.net.server import Server\n", 1, "net.server"),
        ("attic/a.py", "import math\n", 1, "no row in MAY_IMPORT"),
    ],
)
def test_a_wrong_import_is_named_with_its_file_and_line(tree, file, text, line, what):
    (found,) = tree(file, text)
    assert found.startswith(f"fastrouter/{file}:{line}: ")
    assert what in found
    assert "allowed" in found


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("core/a.py", "import os\n\nfrom .event import Quote\n\nseed = os.urandom(8)\n"),
        ("core/a.pyx", '"""import asyncio"""\n# import asyncio\nfrom .event cimport Quote\n'),
        ("core/a.pyx", "import math\n\ncdef extern from 'x.h':\n    int time\n"),
        ("net/a.pyx", "from picows.picows cimport WSFrame\nfrom ..core.event cimport Quote\n"),
        ("client/wire.py", "import asyncio\n\nimport picows\n"),
        ("control/a.py", "from fastrouter.core.event import Event\n"),
        ("app.py", "import uvloop\n\nfrom fastrouter import dialects\n"),
        ("cli.py", "from fastrouter.commands import app\n"),
    ],
)
def test_a_right_import_passes(tree, file, text):
    assert tree(file, text) == []
