"""Builds the compiled rooms of fastrouter.

``FASTROUTER_BUILD`` chooses the flavour:

- ``release`` (default): ``-O3``;
- ``trace``: line tracing, for coverage and profilers of Cython code;
- ``asan``: address and undefined-behaviour sanitizers, for the test suite
  (run with ``LD_PRELOAD=$(cc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0``).
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

FLAVOURS = {
    "release": {"compile": ["-O3", "-g1"], "link": [], "macros": [], "directives": {}},
    "trace": {
        "compile": ["-O1", "-g"],
        "link": [],
        "macros": [("CYTHON_TRACE", "1"), ("CYTHON_TRACE_NOGIL", "1")],
        "directives": {"linetrace": True},
    },
    "asan": {
        "compile": ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined"],
        "link": ["-fsanitize=address,undefined"],
        "macros": [],
        "directives": {},
    },
}
flavour_name = os.environ.get("FASTROUTER_BUILD", "release")
if flavour_name not in FLAVOURS:
    raise SystemExit(
        f"FASTROUTER_BUILD={flavour_name!r} is not known; allowed: {', '.join(FLAVOURS)}"
    )
flavour = FLAVOURS[flavour_name]

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": True,
    "embedsignature.format": "python",
    "autotestdict": False,  # no __test__ in every module
    **flavour["directives"],
}

#: Cython gives a module helpers for every enum it cimports, used or not
WARNINGS = ["-Wno-unused-function"]

JOBS = len(os.sched_getaffinity(0))

LEAVES = sorted(str(path) for path in Path("csrc").glob("*.hpp"))


#: folder -> package, as package-dir in pyproject.toml says
ROOMS = {"fastrouter": "fastrouter", "bench": "fastrouter.bench"}


def extension(source: Path) -> Extension:
    folder, *inside = source.with_suffix("").parts
    return Extension(
        ".".join([ROOMS[folder], *inside]),
        [str(source)],
        include_dirs=["csrc"],
        # what is named here is in the sdist, too
        depends=[str(source), *LEAVES, *map(str, source.parent.glob("*.hpp"))],
        language="c++",
        define_macros=flavour["macros"],
        extra_compile_args=["-std=c++17", "-fvisibility=hidden", *WARNINGS, *flavour["compile"]],
        extra_link_args=flavour["link"],
    )


setup(
    ext_modules=cythonize(
        [extension(path) for room in ROOMS for path in sorted(Path(room).rglob("*.pyx"))],
        compiler_directives=DIRECTIVES,
        nthreads=JOBS,
    ),
    options={"build_ext": {"parallel": JOBS}},
)
